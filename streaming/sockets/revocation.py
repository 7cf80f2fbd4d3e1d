"""Ending sockets, event streams and subscriptions whose right has ended: at once by signal, and by looking again every 30 seconds.

The signals come from `sessions.endings` in whatever process made the change; control groups carry them to all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from sessions import authentication, endings
from sessions.authentication import Identity
from sessions.models import ApiToken, LiveSession, Member, User
from streaming.database import in_db
from streaming.hub import Subscription, the_hub
from streaming.log import LogUnavailable
from streaming.log.script import group_of
from streaming.outbox import blocking_log

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0


def connect() -> None:
    """Carry what ends in this process to every process that may hold a socket of it."""
    endings.credential_ended.connect(_credential_ended, dispatch_uid="streaming.revocation.credential")
    endings.session_ended.connect(_session_ended, dispatch_uid="streaming.revocation.session")


def _credential_ended(sender: Any, user_id: UUID, token_id: UUID | None, session_key: str | None, **_: Any) -> None:
    message = {"type": "credential.ended", "token_id": str(token_id) if token_id else None, "session_key": session_key}
    _tell(f"user.{user_id}", message)


def _session_ended(sender: Any, log: str, reason: str, **_: Any) -> None:
    _tell(group_of(log), {"type": "log.ended", "l": log, "reason": reason})


def _tell(group: str, message: dict[str, Any]) -> None:
    try:
        blocking_log().tell(group, message)
    except LogUnavailable:
        logger.warning("Redis cannot be reached; sockets of %s are ended at the next look (30 s).", group)


class Standing(Protocol):
    """What stands on a credential: a socket, or an event stream."""

    identity: Identity | None
    session_key: str | None

    def sign_out(self) -> None:
        """The credential has ended."""


# Those of HTTP; the sockets are in `consumers.sockets`.
event_streams: set[Standing] = set()


def concerns(message: dict[str, Any], standing: Standing) -> bool:
    """Whether it is the credential of `standing` that has ended, by a message to its user's group."""
    token, session_key = message.get("token_id"), message.get("session_key")
    mine = standing.identity.token if standing.identity is not None else None
    if token is not None and (mine is None or str(mine.pk) != token):
        return False
    return session_key is None or session_key == standing.session_key


_watches: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


def ensure_watching() -> None:
    """Look at rights from now on, in this event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _watches or _watches[loop].done():
        _watches[loop] = loop.create_task(_watch())


async def _watch() -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await look_again()
        except DatabaseError:
            logger.warning("The database cannot be reached; rights are looked at again in %d s.", LOOK_EVERY_S)


async def look_again() -> None:
    """End what stands on nothing any more: sockets by credential, subscriptions by membership."""
    from streaming.consumers import sockets

    all_here: list[Standing] = [*sockets, *event_streams]
    here = [(each, each.identity) for each in all_here if each.identity is not None]
    users = {identity.user.pk for _, identity in here if identity.user is not None}
    if not users:
        return
    tokens = {identity.token.pk for _, identity in here if identity.token is not None}
    cookies = {each.session_key for each, _ in here if each.session_key is not None}
    good = await in_db(_still_good, users, tokens, cookies)
    for each, identity in here:
        if identity.user is not None and not good.covers(identity, each.session_key):
            each.sign_out()
    await _look_at_memberships([each for each in the_hub().subscriptions() if each.log.name.startswith("session:")])


async def _look_at_memberships(subscriptions: list[Subscription]) -> None:
    logs = {subscription.log.name for subscription in subscriptions}
    members, there = await in_db(_members_of, logs)
    for subscription in subscriptions:
        log = subscription.log.name
        if log not in there:
            the_hub().end(subscription, subscription.log.ring.head, "deleted")
        elif (log, subscription.watcher.user_id) not in members:
            the_hub().end(subscription, subscription.log.ring.head, "removed")


@dataclass(frozen=True, slots=True)
class Good:
    """The users, tokens and cookies that still stand."""

    users: set[UUID]
    tokens: set[UUID]
    cookies: set[str]

    def covers(self, identity: Identity, session_key: str | None) -> bool:
        return (
            identity.user is not None
            and identity.user.pk in self.users
            and (identity.token is None or identity.token.pk in self.tokens)
            and (session_key is None or session_key in self.cookies)
            and (identity.expires_at is None or identity.expires_at > timezone.now())
        )


def _still_good(users: set[UUID], tokens: set[UUID], cookies: set[str]) -> Good:
    return Good(
        set(User.objects.filter(pk__in=users, is_active=True).values_list("pk", flat=True)),
        set(ApiToken.objects.filter(pk__in=tokens, revoked_at=None).values_list("pk", flat=True)),
        {cookie for cookie in cookies if authentication.identity_of_cookie(cookie) is not None},
    )


def _members_of(logs: Iterable[str]) -> tuple[set[tuple[str, str]], set[str]]:
    ids = [UUID(log.removeprefix("session:")) for log in logs]
    rows = Member.objects.filter(session_id__in=ids, user__is_active=True).values_list("session_id", "user_id")
    there = LiveSession.objects.filter(pk__in=ids).values_list("pk", flat=True)
    return {(f"session:{session}", str(user)) for session, user in rows}, {f"session:{session}" for session in there}
