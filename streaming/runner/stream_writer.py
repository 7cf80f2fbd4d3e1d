"""Puts one stream's entries on its log, in order, each exactly once, whatever Redis goes through.

It numbers the entries, keeps them while the stream runs, and says again what a restarted Redis lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from streaming.log import Appended, Entry, LogBehind, LogUnavailable, LogWriter

logger = logging.getLogger(__name__)

RETRY_DELAYS_S = (0.05, 0.1, 0.2, 0.5, 1.0)
# Entries on their way to Redis at once: the streams of a worker share a connection, and none waits long behind another.
AT_ONCE = 64


class StreamWriter:
    """One owner's hand on one stream. `written` is what earlier owners left on the log, `last` its last number there."""

    def __init__(self, log: LogWriter, name: str, fence: int, *, written: Sequence[Entry] = (), last: int = 0) -> None:
        self._log = log
        self._name = name
        self._fence = fence
        # entries[i] has the number base + i + 1. Entries before `base` cannot be said again.
        self._base = last - len(written)
        self._entries = list(written)

    async def write(self, entries: Sequence[Entry]) -> bool:
        """Append `entries`; returns whether somebody asked for the stream to be stopped.

        Waits for Redis as long as it takes. Raises LogFenced when the stream is another owner's, or over.
        """
        start = len(self._entries)
        self._entries += entries
        attempt = 0
        stopping = False
        while start < len(self._entries):
            end = min(start + AT_ONCE, len(self._entries))
            try:
                stopping = await self._append_from(start, end)
                start = end
            except LogBehind as behind:
                start = self._after_loss(behind.last)
            except LogUnavailable as error:
                if attempt == 0:
                    logger.warning("%s waits: %s", self._name, error)
                await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
                attempt += 1
        return stopping

    async def _append_from(self, start: int, end: int) -> bool:
        first = self._base + start + 1
        if start == end - 1:  # nearly always
            return (await self._append(self._entries[start], first)).stopping
        answers = await asyncio.gather(
            *(self._append(entry, number) for number, entry in enumerate(self._entries[start:end], first)),
            return_exceptions=True,
        )
        stopping = False
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer  # the first one says why; those after it failed for it
            stopping = answer.stopping
        return stopping

    async def _append(self, entry: Entry, number: int) -> Appended:
        return await self._log.append(self._name, entry, batch=number, fence=self._fence)

    def _after_loss(self, last: int) -> int:
        """The index to go on from when the log holds numbers up to `last` only."""
        if last < self._base:
            # What is lost was written by an earlier owner and is not known here; such an owner began with a reset.
            self._base = last
        logger.warning("Redis lost entries of %s after number %d; they are appended again.", self._name, last)
        return last - self._base
