"""The newest events of one log in this process's memory. Pure; the hub fills it."""

from __future__ import annotations

from enum import Enum

from streaming.log.script import LogEvent

KEEP = 4_096


class Taken(Enum):
    NEW = "new"
    OLD = "old"
    GAP = "gap"


class Ring:
    """Events without holes: everything in (floor, head]."""

    def __init__(self, head: int) -> None:
        self.floor = head
        self.head = head
        self._events: list[LogEvent] = []

    def take(self, event: LogEvent) -> Taken:
        """Keep the event if it is the next one."""
        if event.seq <= self.head:
            return Taken.OLD
        if event.seq > self.head + 1:
            return Taken.GAP
        self._events.append(event)
        self.head = event.seq
        if len(self._events) > 2 * KEEP:
            del self._events[:KEEP]
            self.floor += KEEP
        return Taken.NEW

    def since(self, seq: int, upto: int | None = None) -> list[LogEvent] | None:
        """The events in (seq, upto], or None where the ring no longer reaches back to `seq`."""
        if seq < self.floor:
            return None
        start = seq - self.floor
        return self._events[start:] if upto is None else self._events[start : max(start, upto - self.floor)]
