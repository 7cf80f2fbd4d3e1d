"""Taking answers out of the cache before their time: by who asked, where, and of which model. For code in threads."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.signals import post_delete

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import LiveSession
from streaming.cache.store import AT_ONCE, CacheUnavailable, the_store

logger = logging.getLogger(__name__)


def connect() -> None:
    """What was said in a session goes with it."""
    post_delete.connect(_purge_deleted, sender=LiveSession, dispatch_uid="streaming.cache")


def purge(*, user: UUID | None = None, session: UUID | None = None, model: str | None = None) -> int:
    """Drop the entries that are of all of these; returns how many. `model` is one that was asked for, or that answered.

    Raises LiveError `busy` where Redis cannot be reached: nothing is known to be gone then.
    """
    try:
        return _purge(str(user) if user else None, str(session) if session else None, model)
    except CacheUnavailable as error:
        logger.warning("The cache cannot be purged: %s", error)
        raise LiveError(
            ErrorCode.BUSY, "The cache cannot be reached, so nothing was taken out of it. Try again in a moment."
        ) from error


def _purge(user: str | None, session: str | None, model: str | None) -> int:
    store, dropped = the_store(), 0
    keys: list[str] = []
    for key, about in store.all():
        if (
            (user is None or about.user == user)
            and (session is None or about.session == session)
            and (model is None or model in about.models)
        ):
            keys.append(key)
        if len(keys) >= AT_ONCE:
            dropped += store.drop(keys)
            keys.clear()
    return dropped + store.drop(keys)


def _purge_deleted(sender: Any, instance: LiveSession, **_: Any) -> None:
    transaction.on_commit(partial(_quietly, str(instance.pk)))


def _quietly(session: str) -> None:
    try:
        _purge(None, session, None)
    except CacheUnavailable as error:
        logger.warning(
            "Answers of the deleted session %s stay in the cache until their time is over: %s", session, error
        )
