"""A database that cannot be reached, or has no time: how the code knows it, and what whoever asked is told."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

from hanzo_live.protocol.errors import ErrorCode, LiveError

DATABASE_AWAY = (OperationalError, InterfaceError)

RETRY_AFTER_S = 5


def database_away() -> LiveError:
    """What to answer for one of DATABASE_AWAY, which belongs into the operator's log."""
    return LiveError(
        ErrorCode.INTERNAL,
        "The server cannot reach its database just now, or the database is too busy. Try again in a moment.",
        retryable=True,
        retry_after=RETRY_AFTER_S,
    )
