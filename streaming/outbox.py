"""Bringing announced events from the database to the log, in order, exactly once.

No lock is held while Redis is asked, which may take its time: on SQLite that lock would keep everybody from writing. It
is not needed either. Each row carries its key, so that what another process appends too, or appended before it died, is
on the log once; and a row is deleted only when it is on the log, so that whoever finds a row finds those before it, or
they are there already.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from django.conf import settings

from sessions.models import OutboxRow
from sessions.outages import DATABASE_AWAY
from sessions.outbox import Announcement, announced
from streaming.log import BlockingLog, Entry, LogUnavailable

logger = logging.getLogger(__name__)

# Rows appended in one round trip.
DRAIN_AT_ONCE = 500


@cache
def blocking_log() -> BlockingLog:
    """This process's log for code that runs in threads."""
    return BlockingLog(settings.REDIS_URL, keep_s=int(settings.LOG_KEEP_HOURS * 3600))


def connect() -> None:
    """Drain whenever something was announced and committed."""
    announced.connect(_drain_announced, dispatch_uid="streaming.outbox")


def _drain_announced(sender: Any, log: str, **_: Any) -> None:
    try:
        drain(log)
    except (LogUnavailable, *DATABASE_AWAY) as error:
        logger.warning("Events of %s wait in the outbox: %s", log, error)


def append_first(log: str, *events: Announcement) -> None:
    """Append to a log of which nobody knows yet, before the change: where that fails, there is a log that nobody may read.

    It spares the way through the outbox. Raises LogUnavailable: there may be some of it, so that the log must not be used.
    """
    blocking_log().append(log, [(_entry(event), "") for event in events])


def drain(log: str) -> int:
    """Append the waiting rows of `log`; returns how many. Raises LogUnavailable: they stay. Not within a transaction."""
    rows = list(OutboxRow.objects.filter(log=log).order_by("id")[:DRAIN_AT_ONCE])
    if not rows:
        return 0
    blocking_log().append(log, [(_entry(row), f"outbox:{row.pk}") for row in rows])
    OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _entry(event: Announcement | OutboxRow) -> Entry:
    """Text, which comes this way where a whole answer is there at once, has places of its own in an entry."""
    if event.type in ("token", "thought"):
        return Entry(event.type, event.stream, event.body["data"], event.body["n"], event.body.get("step", 0))
    return Entry(event.type, event.stream, body=event.body)


def sweep() -> int:
    """Drain every log that has rows waiting (a process died, or Redis was away); returns how many were appended.

    Raises LogUnavailable.
    """
    logs = OutboxRow.objects.order_by("log").values_list("log", flat=True).distinct()
    return sum(drain(log) for log in list(logs))
