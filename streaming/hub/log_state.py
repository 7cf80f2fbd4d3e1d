"""What one process knows of one log: its ring, its position, and who watches it in which view. State only."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from streaming.hub.frames import View
from streaming.hub.ring import Ring
from streaming.hub.snapshot import Snapshot
from streaming.hub.subscription import Subscription
from streaming.log.script import LogEvent
from streaming.servers import Frame, SocketWriter

# Ephemeral events of one log that wait for the next round; of one kind and stream only the newest matters.
MAX_NOTES = 200


class ViewState:
    """Everybody who watches a log in the same way: `told` is what all attached ones have, `position` how far we looked.

    They differ where the newest events are not for this view. During a round, `unwritten` are the sockets that do not
    have its frames yet: they still have `before`.
    """

    __slots__ = ("attached", "before", "due_at", "position", "subscribers", "told", "unwritten", "waiting")

    def __init__(self, seq: int) -> None:
        self.told = seq
        self.position = seq
        self.attached: dict[Subscription, SocketWriter] = {}
        self.waiting: set[Subscription] = set()
        self.unwritten: dict[Subscription, SocketWriter] = {}
        self.before = seq
        self.subscribers = 0
        self.due_at = 0.0


class LogState:
    """A log that this process has joined. Usable once `ready` is done."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = ""
        self.ring = Ring(0)
        self.views: dict[View, ViewState] = {}
        self.subscriptions: set[Subscription] = set()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.early: list[tuple[str, LogEvent]] = []
        self.repair: asyncio.Task[None] | None = None
        self.notes: dict[tuple[str, str], Frame] = {}
        self.snapshots: dict[int, asyncio.Task[Snapshot]] = {}
        self.snapshots_from = 0.0
        self.joins = 0
        self.is_over = False  # a stream's own log, after its terminal event: nothing more comes

    def view(self, view: View) -> ViewState:
        state = self.views.get(view)
        if state is None:
            state = self.views[view] = ViewState(self.ring.head)
        return state

    def forget(self, view: View) -> None:
        """One subscriber of `view` is gone; the last one takes the view's state along."""
        state = self.views.get(view)
        if state is not None:
            state.subscribers -= 1
            if state.subscribers <= 0:
                del self.views[view]

    def begin(self, epoch: str, head: int) -> None:
        """A fresh position: on joining, and when the epoch changed."""
        self.epoch = epoch
        self.ring = Ring(head)
        self.snapshots.clear()

    def note(self, kind: str, stream: str, event: dict[str, Any], frame: Frame) -> None:
        # Presence and drafts are states or updates of many people: none takes another's place.
        key = (kind, stream) if kind == "progress" else (kind, str(len(self.notes)))
        if len(self.notes) < MAX_NOTES or key in self.notes:
            self.notes[key] = frame

    def fresh_snapshot(self, tail: int, keep_s: float) -> asyncio.Task[Snapshot] | None:
        """A snapshot taken in the last `keep_s` seconds, or None. An older one is right as well: events follow it."""
        if time.monotonic() - self.snapshots_from > keep_s:
            self.snapshots.clear()
            self.snapshots_from = time.monotonic()
        return self.snapshots.get(tail)
