"""What has to be done now and then, by one worker at a time. More than one beat does no harm: each duty holds a lock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.core.cache import cache
from django.utils import timezone

from sessions.models import LiveSession
from streaming.database import in_db
from streaming.log import LogWriter
from streaming.log.script import now_ms
from streaming.models import OPEN, Stream

logger = logging.getLogger(__name__)

# A log is never trimmed below this many events, nor below its last hour.
KEEP_EVENTS = 10_000
KEEP_AT_LEAST = timedelta(hours=1)
LOCK_S = 300
AT_ONCE = 50


async def trim_logs(log: LogWriter, keep: timedelta, *, now: Callable[[], int] = now_ms) -> int:
    """Forget events of long sessions that are older than `keep`; returns how many logs were trimmed.

    What they said is in the database: an event is written in the transaction of its change, a stream's text when it
    ends, and the text of a stream that runs is not touched. A log that nobody writes to expires as a whole. `now` in
    milliseconds since 1970.

    Raises LogUnavailable.
    """
    if not await asyncio.to_thread(cache.add, "duty:trim-logs", True, LOCK_S):
        return 0
    since = now() - int(max(keep, KEEP_AT_LEAST).total_seconds() * 1000)
    try:
        sessions = await in_db(_lately_used, keep)
        trimmed = 0
        for start in range(0, len(sessions), AT_ONCE):
            some = sessions[start : start + AT_ONCE]
            trimmed += sum(await asyncio.gather(*(_trim(log, session, since) for session in some)))
        return trimmed
    finally:
        await asyncio.to_thread(cache.delete, "duty:trim-logs")


async def _trim(log: LogWriter, session: UUID, since: int) -> bool:
    name = f"session:{session}"
    head = await log.head(name)
    before = head.seq - KEEP_EVENTS + 1
    if before <= head.first:
        return False
    before = await _first_since(log, name, head.first, before, since)
    running = await in_db(_open_streams, session)
    if running:
        before = min([before, *(seq for seq in await log.starts(name, running) if seq)])
    if before <= head.first:
        return False
    await log.trim(name, before)
    return True


async def _first_since(log: LogWriter, name: str, low: int, high: int, moment: int) -> int:
    """The smallest seq in [low, high] whose event is not older than `moment`; `high` if all are."""
    while low < high:
        middle = (low + high) // 2
        page = await log.read_page(name, middle - 1, None, 1)
        if page.events and page.events[0].ts < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _lately_used(keep: timedelta) -> list[UUID]:
    return list(LiveSession.objects.filter(updated_at__gte=timezone.now() - keep).values_list("pk", flat=True))


def _open_streams(session: UUID) -> list[str]:
    ids = Stream.objects.filter(session_id=session, status__in=OPEN).values_list("pk", flat=True)
    return [str(id) for id in ids]
