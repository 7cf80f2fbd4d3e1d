"""What one process knows of one session's presence: its own sockets there, everybody's connections, what is unsaid.

State and its delivery to this process's viewers; `attendance` moves it and talks to Redis.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Protocol

from presence import metrics
from presence.leases import Note
from presence.pace import Clock, Pace
from presence.people import Connection, People, Wire

# At most 20 frames a second to each viewer, and as many announcements of a process: in between, changes merge.
INTERVAL_S = 0.05
# What a process spends on one session at most: with thousands of viewers each hears of changes less often.
FRAMES_A_SECOND = 10_000
# The number alone, above the size that is listed.
COUNT_INTERVAL_S = 1.0


class Viewer(Protocol):
    """A socket's subscription to the session, as whoever made it hands it in."""

    @property
    def ready(self) -> bool:
        """Whether a frame would be taken now."""

    def tell(self, frame: Any) -> bool:
        """Write the frame; False where it was not taken."""


class Mine:
    """A connection of this process. Without `viewer` it lingers: its socket was cut, and may come back."""

    __slots__ = ("connection", "said_idle", "stale", "viewer")

    def __init__(self, user: Wire, viewer: Viewer) -> None:
        self.connection = Connection(user)
        self.viewer: Viewer | None = viewer
        self.said_idle = False
        self.stale = True  # the viewer has no list yet, or missed a change


class Room:
    def __init__(
        self, log: str, max_listed: int, clock: Clock, frame_of: Callable[[Wire], Any], say: Callable[[Room], None]
    ) -> None:
        self.log = log
        self.people = People(max_listed)
        self.mine: dict[str, Mine] = {}
        self.unsaid: set[str] = set()
        self.dropped: set[str] = set()
        self.saying = Pace(clock, INTERVAL_S, lambda: say(self))
        self.telling = Pace(clock, INTERVAL_S, self.tell)
        self.loaded = False
        self.early: list[Note] = []
        self.loading: asyncio.Task[None] | None = None
        self.said: asyncio.Task[None] | None = None
        self.number = 0  # of the last change that is known here
        self.seen = 0  # that Redis had at the last look
        self._counting = Pace(clock, COUNT_INTERVAL_S, self._tell_anew)
        self._counted = 0  # what viewers of a summarised session were told
        self._frame_of = frame_of

    def stop(self) -> None:
        for pace in (self.saying, self.telling, self._counting):
            pace.stop()
        if self.loading is not None:
            self.loading.cancel()

    def put(self, id: str, connection: Connection) -> None:
        self.people.put(id, connection)
        self.telling.want()

    def drop(self, id: str) -> None:
        self.people.drop(id)
        self.telling.want()

    def change(self, id: str, connection: Connection) -> None:
        """One of this process's own connections is like this now."""
        self.mine[id].connection = connection
        self.unsaid.add(id)
        self.dropped.discard(id)  # it left and is back before that was said
        self.put(id, connection)
        # Above the size that is listed only comings and goings are told to anybody.
        if not self.people.summarised:
            self.saying.want()

    def forget(self, id: str) -> None:
        """A connection, whoever's, is gone; everybody is told."""
        self.mine.pop(id, None)
        self.unsaid.discard(id)
        self.dropped.add(id)
        self.drop(id)
        self.saying.want()

    def tell(self) -> None:
        """Tell this process's viewers what changed: one frame for all, and the whole list to those without."""
        if not self.loaded:
            return
        turned = self.people.turn()
        changes = self.people.take_changes()
        watching = [mine for mine in self.mine.values() if mine.viewer is not None]
        if turned:
            self._tell_anew()
            self.saying.want()
        elif self.people.summarised:
            if self.people.total != self._counted:
                self._counting.want()
        elif changes:
            self._tell({"changes": changes, "total": self.people.total}, [mine for mine in watching if not mine.stale])
        self.telling.interval_s = max(INTERVAL_S, len(watching) / FRAMES_A_SECOND)
        waiting = [mine for mine in watching if mine.stale]
        if ready := [mine for mine in waiting if mine.viewer is not None and mine.viewer.ready]:
            self._tell(self.people.everybody(), ready)
        if any(mine.stale for mine in waiting):
            self.telling.want()

    def _tell(self, fields: Wire, to: list[Mine]) -> None:
        if not to:
            return
        event = {"type": "presence", "log": self.log, "ts": time.time_ns() // 1_000_000, **fields}
        frame = self._frame_of(event)
        for mine in to:
            mine.stale = mine.viewer is None or not mine.viewer.tell(frame)
        metrics.FRAMES_SENT.inc(len(to))

    def _tell_anew(self) -> None:
        self._counted = self.people.total
        for mine in self.mine.values():
            mine.stale = True
        self.telling.want()
