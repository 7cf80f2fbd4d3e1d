"""Telling those who wait how many are before them: `progress` with phase `queued`, once a second while they do.

Told again and again because it is kept nowhere: whoever comes later, or missed it, knows a second later. By whichever
worker is first; a server without a worker has no queue that moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models.functions import Now

from streaming import slots
from streaming.models import OPEN, Stream, StreamStatus
from streaming.outbox import blocking_log

# One that is taken before it waited so long was never in a queue.
AFTER = timedelta(milliseconds=500)
# Streams that are looked at in one round; behind them nobody is told a number.
AT_MOST = 1_000
LOCK_S = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    stream: UUID
    log: str
    before: int


def positions(
    rows: Iterable[tuple[UUID, str, UUID | None, str]], turns: Mapping[UUID, int] | None = None
) -> list[Waiting]:
    """Who waits, and how many are before each: in a session those asked there before, else those of everybody.

    `rows` are the open streams (id, log, session, status), the one asked first at the front. `turns` is how many get a
    slot before each of those that wait for one.
    """
    turns = turns or {}
    found: list[Waiting] = []
    heads = 0
    before: dict[UUID, int] = {}
    for id, log, session, status in rows:
        in_session = before.get(session, 0) if session is not None else 0
        if status == StreamStatus.QUEUED:
            # The first of a session waits for a worker, as streams of their own do; those behind it wait for it.
            found.append(Waiting(id, log, in_session or turns.get(id, heads)))
            heads += in_session == 0 and id not in turns
        if session is not None:
            before[session] = in_session + 1
    return found


def tell() -> int:
    """Tell everybody who waits, unless that was done this second; returns how many. Raises LogUnavailable."""
    waits = Stream.objects.filter(status=StreamStatus.QUEUED, created_at__lt=Now() - AFTER)
    if not waits.exists() or not cache.add("duty:positions", True, LOCK_S):
        return 0
    rows = Stream.objects.filter(status__in=OPEN).order_by("created_at", "id")[:AT_MOST]
    found = positions(rows.values_list("id", "log", "session_id", "status"), slots.turns(AT_MOST))
    for each in found:
        blocking_log().publish(each.log, "progress", body_of(each))
    return len(found)


def body_of(waiting: Waiting) -> dict[str, Any]:
    return {
        "stream": str(waiting.stream),
        "tokens": 0,
        "total": None,
        "percent": None,
        "eta_s": None,
        "tokens_per_second": None,
        "phase": "queued",
        "queue_position": waiting.before,
    }
