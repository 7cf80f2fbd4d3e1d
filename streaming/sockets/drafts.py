"""The shared draft on sockets: asks for the right, hands `presence` what tells a log and what was posted, replies."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from hanzo_live.protocol.commands import DraftSend, DraftSync, DraftUpdate
from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft import UNREACHABLE, Drafts, DraftStore, drop, key_of
from sessions import access, endings
from sessions import services as sessions
from sessions.access import Action
from sessions.models import MessageRole, User
from sessions.queries import messages_of, user_wire
from streaming import services
from streaming.database import in_db
from streaming.hub import the_hub
from streaming.sockets.admission import Bucket

if TYPE_CHECKING:
    from streaming.consumers import LiveConsumer

logger = logging.getLogger(__name__)

CONNECTIONS = 4
SOCKET_TIMEOUT_S = 5.0
# A page that gathers keystrokes for 50 ms sends twenty a second.
EDITS_PER_SECOND = 40
# Larger ones count more: reading them is work.
EDIT_BYTES = 4 * 1024

Posted: TypeAlias = dict[str, str | None]

_KEY = f"^{key_of(0)[:-1]}[0-9]{{1,9}}$"

_drafts: dict[asyncio.AbstractEventLoop, Drafts] = {}
_buckets: WeakKeyDictionary[LiveConsumer, Bucket] = WeakKeyDictionary()


def the_drafts() -> Drafts:
    """This event loop's."""
    loop = asyncio.get_running_loop()
    found = _drafts.get(loop)
    if found is None:
        for closed in [known for known in _drafts if known.is_closed()]:
            del _drafts[closed]
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=CONNECTIONS, timeout=SOCKET_TIMEOUT_S, socket_timeout=SOCKET_TIMEOUT_S
        )
        layer = get_channel_layer("live")
        assert layer is not None, "CHANNEL_LAYERS has no `live`"
        store = DraftStore(redis.asyncio.Redis(connection_pool=pool))
        found = _drafts[loop] = Drafts(store, layer.here().log.publish, _floor)
    return found


def connect() -> None:
    """Drop the draft of a session that is deleted in this process."""
    endings.session_ended.connect(_session_ended, dispatch_uid="streaming.drafts")


def _session_ended(sender: Any, log: str, reason: str, **_: Any) -> None:
    if reason != "deleted":
        return
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SOCKET_TIMEOUT_S) as client:
            drop(client, log)
    except UNREACHABLE:
        logger.warning("Redis cannot be reached; the draft of %s goes when it has not been touched for long.", log)


async def draft_sync(socket: LiveConsumer, command: DraftSync) -> None:
    _pace(socket, command.update)
    log = await in_db(_log_of, _user(socket), command.session, Action.READ)
    synced = await the_drafts().sync(log, command.generation, _decoded(command.update))
    update = base64.b64encode(synced.message).decode()
    socket.reply(
        {"type": "ok", "id": command.id, "update": update, "generation": synced.generation, "n": synced.number}
    )


async def draft_update(socket: LiveConsumer, command: DraftUpdate) -> None:
    _require_write(socket)
    _pace(socket, command.update)
    user = _user(socket)
    log = await in_db(_log_of, user, command.session, Action.EDIT_DRAFT)
    reply = {"type": "ok", "id": command.id, "update": None, "generation": command.generation}
    await the_drafts().update(
        log, user_wire(user), command.generation, _decoded(command.update), lambda: socket.reply(reply)
    )


async def draft_send(socket: LiveConsumer, command: DraftSend) -> None:
    _require_write(socket)
    user = _user(socket)
    log = await in_db(_log_of, user, command.session, Action.EDIT_DRAFT)

    async def post(text: str | None, key: str) -> Posted:
        return await in_db(_post, user, command, text, key)

    subscription = socket.subscriptions.get(log)
    if subscription is not None:
        the_hub().hold(subscription)  # the reply comes before the message
    try:
        posted = await the_drafts().send(log, command.generation, post)
        if posted["stream"] is not None:
            socket.started.add(posted["stream"])
        socket.reply({"type": "ok", "id": command.id, **posted})
    finally:
        if subscription is not None:
            the_hub().release(subscription)


def first_unposted(log: str) -> int:
    """The first generation of the session's draft that was not posted, as its messages tell."""
    posted = messages_of(UUID(log.removeprefix("session:"))).filter(key__regex=_KEY).order_by("-n").first()
    return 1 if posted is None or posted.key is None else int(posted.key.partition(":")[2]) + 1


async def _floor(log: str) -> int:
    return await in_db(first_unposted, log)


def _post(user: User, command: DraftSend, text: str | None, key: str) -> Posted:
    """Post the draft once, whoever sends it: what was posted with its key, by anybody, is the answer."""
    with transaction.atomic():
        session, _ = access.find_session(user, command.session, Action.PROMPT)
        sessions.lock(session.pk)
        earlier = messages_of(session.pk).filter(key=key, role=MessageRole.USER).first()
        if earlier is not None:
            reply = messages_of(session.pk).filter(n=earlier.n + 1, role=MessageRole.ASSISTANT).first()
            return {"message": str(earlier.pk), "stream": str(reply.stream) if reply and reply.stream else None}
        if text is None:
            raise LiveError(
                ErrorCode.CONFLICT, "That draft is over and was not posted. Send `draft.sync` to get the one that is open.",
                field="generation",
            )  # fmt: skip
        started = services.start_stream(user, command, session_ref=command.session, content=text, key=key)
    return {"message": str(started.message), "stream": str(started.stream)}


def _log_of(user: User | None, ref: str, action: Action) -> str:
    session, _ = access.find_session(user, ref, action)
    return session.log


def _user(socket: LiveConsumer) -> Any:
    return socket.identity.user if socket.identity is not None else None


def _require_write(socket: LiveConsumer) -> None:
    if socket.identity is not None and not socket.identity.can_write:
        raise LiveError(ErrorCode.FORBIDDEN, "This API token may only read. Make one that may write.")


def _pace(socket: LiveConsumer, update: str) -> None:
    """Raises LiveError `rate_limited`."""
    bucket = _buckets.setdefault(socket, Bucket(EDITS_PER_SECOND, 2 * EDITS_PER_SECOND))
    wait = max(bucket.take() for _ in range(1 + len(update) // EDIT_BYTES))
    if wait:
        raise LiveError(
            ErrorCode.RATE_LIMITED,
            f"More than {EDITS_PER_SECOND} edits a second. Gather them, and send this one again.",
            retry_after=max(0.01, round(wait, 2)),
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise LiveError(ErrorCode.BAD_REQUEST, "`update` is not base64.", field="update") from None
