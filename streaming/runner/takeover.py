"""What a worker does first with a stream that another one began: shut that one out, then read what it wrote.

And what every owner does before its first token: have the stream's start on the log.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessions.outages import DATABASE_AWAY
from streaming.database import in_db
from streaming.log import Entry, LogUnavailable, LogWriter
from streaming.runner import lifecycle
from streaming.runner.answer import NUMBERED
from streaming.runner.lifecycle import Claim
from streaming.runner.patience import pause


@dataclass(frozen=True, slots=True)
class Written:
    """An entry, and when it was written, in seconds since 1970."""

    entry: Entry
    at: float


@dataclass(frozen=True, slots=True)
class Left:
    """What was `written` by earlier owners, and the number of the last entry.

    A log that was trimmed under the stream cannot be said again: then there are fewer entries than `last` says.
    """

    written: list[Written]
    last: int

    @property
    def is_whole(self) -> bool:
        return len(self.written) == self.last


NOTHING = Left([], 0)


async def start_is_on_log(claim: Claim) -> None:
    """Returns when no token can overtake the stream's start any more, however long Redis is away."""
    attempt = 0
    waits = not claim.announced
    while waits:
        try:
            await in_db(lifecycle.bring_start_to_log, claim.stream)
            waits = False
        except (LogUnavailable, *DATABASE_AWAY):
            await pause(attempt)
            attempt += 1


async def left_by_others(log: LogWriter, claim: Claim) -> Left:
    """What earlier owners wrote, after they were shut out."""
    name, stream = claim.stream.log, str(claim.stream.pk)
    attempt = 0
    while True:
        try:
            last = await log.raise_fence(name, stream, claim.fence)
            (first,) = await log.starts(name, [stream])
            events = await log.read(name, max(0, first - 1))
            break
        except LogUnavailable:
            await pause(attempt)
            attempt += 1
    mine = [event for event in events if event.stream == stream and event.type in NUMBERED]
    return Left([Written(Entry(e.type, stream, e.data, e.n, e.step, e.body or None), e.ts / 1000) for e in mine], last)
