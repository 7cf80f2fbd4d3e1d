"""A server without sockets at the end of a bad line: it answers the core's commands from a log, as the contract lets it.

What it merges, replays, loses, doubles and cuts is drawn by hypothesis. For property tests of the core.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from hanzo_live.core.actions import Connect, Send
from hanzo_live.core.backoff import Reconnect
from hanzo_live.core.link import Link
from hanzo_live.core.state import ConnectionState
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol import fold
from tests.contract.logs import LOG, Frame, frames, seen

WELCOME: Frame = {
    "type": "welcome",
    "protocol": 1,
    "connection": "c",
    "user": {"id": None, "name": "Guest", "avatar": None, "anonymous": True},
    "server": {"version": "0"},
    "limits": {"max_frame_bytes": 1_048_576, "max_streams": 32, "max_subscriptions": 100, "heartbeat_s": 25},
}


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Heard:
    """Everything that a link tells its watcher."""

    def __init__(self) -> None:
        self.states: list[ConnectionState] = []
        self.errors: list[HanzoLiveError] = []
        self.attempts: list[int] = []
        self.returns = 0

    def on_state(self, state: ConnectionState) -> None:
        self.states.append(state)

    def on_error(self, error: HanzoLiveError) -> None:
        self.errors.append(error)

    def on_reconnect(self, attempt: int) -> None:
        self.attempts.append(attempt)

    def on_reconnected(self) -> None:
        self.returns += 1


class Sink:
    """What a watcher of a log gets."""

    def __init__(self) -> None:
        self.events: list[Frame] = []
        self.error: HanzoLiveError | None = None

    def event(self, event: Frame) -> None:
        assert self.error is None, "an event after the end"
        self.events.append(event)

    def ended(self, error: HanzoLiveError) -> None:
        assert self.error is None, "ended twice"
        self.error = error


def link_of(heard: Heard, clock: Clock, **options: Any) -> Link:
    return Link(heard, client="tests", clock=clock, **{"random": lambda: 0.5, "reconnect": Reconnect(), **options})


class BadLine:
    """`link` on this end, `log` on the other."""

    def __init__(self, data: st.DataObject, log: list[Frame], *, thoughts: bool) -> None:
        self.data = data
        self.log = log
        self.thoughts = thoughts
        self.epoch = "e1"
        self.clock = Clock()
        self.heard = Heard()
        self.link = link_of(self.heard, self.clock)
        self.line: list[Frame] = []

    # What may happen ------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Something happens."""
        self.work()
        happens = {
            "arrives": lambda: self._deliver(1),
            "doubled": lambda: self._deliver(2),
            "lost": lambda: self._deliver(0),
            "cut": self.cut,
            "goes away": lambda: self._frame({"type": "goaway", "reason": "drains", "reconnect_after_ms": 100}),
            "begins a new epoch": self._new_epoch,
            "time": self.time,
            "silence": lambda: self.link.connection.lost(HanzoLiveError("DISCONNECTED", "silent")),
        }
        happens[self.data.draw(st.sampled_from([*["arrives"] * 8, *happens]))]()

    def finish(self) -> None:
        """The line is good from now on, after a last cut that brings what was lost at the end."""
        self.work()
        self.cut()
        for _ in range(1000):
            self.work()
            if self.line:
                self._deliver(1)
            elif self.link.connection.live:
                return
            else:
                self.time()
        raise AssertionError("It never comes to rest.")

    def work(self) -> None:
        """Do what the core asks for, until it asks for nothing."""
        while actions := self.link.connection.take_actions():
            for action in actions:
                if isinstance(action, Connect):
                    self.link.connection.opened(None)
                elif isinstance(action, Send):
                    self._answer(json.loads(action.text))
                else:
                    self.line.clear()

    def cut(self) -> None:
        if self.link.connection.state.status in {"live", "connecting"}:
            self.link.connection.closed(1006)
        self.work()

    def time(self) -> None:
        """The next thing is due."""
        timers = self.link.connection.timers
        if timers.next is not None:
            self.clock.now = max(self.clock.now, timers.next)
            timers.run()
        self.work()

    def _deliver(self, times: int) -> None:
        if not self.line:
            return
        frame = self.line.pop(0)
        # The transport loses whole connections, never a reply in the middle of one: only events may fail to come.
        often = times if "seq" in frame and frame["type"] not in {"ok", "snapshot"} else 1
        for _ in range(often):
            self._frame(frame)
        self.work()

    def _frame(self, frame: Frame) -> None:
        if self.link.connection.state.status in {"live", "connecting"}:
            self.link.connection.receive(json.dumps(frame))
        self.work()

    def _new_epoch(self) -> None:
        self.epoch = f"e{int(self.epoch[1:]) + 1}"
        self.cut()

    # The server -----------------------------------------------------------------------------------------------------

    def _answer(self, command: Frame) -> None:
        kind, id = command["type"], command["id"]
        if kind == "hello":
            self.line.append({**WELCOME, "id": id})
        elif kind == "ping":
            self.line.append({"type": "pong", "id": id})
        elif kind == "stream.start":
            position = {"epoch": self.epoch, "seq": 0}
            self.line.append({"type": "ok", "id": id, "stream": "r0", "log": LOG, "message": "m1", **position})
            self.line.extend(self._frames(0))
        elif kind == "subscribe":
            self._subscribe(command)
        else:
            self.line.append({"type": "ok", "id": id, "log": LOG})

    def _subscribe(self, command: Frame) -> None:
        # Subscribing again moves the position: what was on its way is sent again.
        self.line = [frame for frame in self.line if frame.get("log") != LOG or frame["type"] == "ok"]
        ok = {"type": "ok", "id": command["id"], "log": LOG, "epoch": self.epoch, "seq": len(self.log)}
        known = command.get("epoch") == self.epoch
        if known and self.data.draw(st.booleans()):
            self.line.append({**ok, "mode": "replay"})
            self.line.extend(self._frames(command["seq"]))
            return
        upto = self.data.draw(st.integers(command["seq"] if known else 0, len(self.log)))
        state = fold(seen(self.log[:upto], thoughts=self.thoughts)).to_snapshot(LOG, 200)
        snapshot = {"type": "snapshot", "log": LOG, "epoch": self.epoch, "seq": upto, "state": state}
        self.line.extend([{**ok, "mode": "snapshot"}, snapshot, *self._frames(upto)])

    def _frames(self, after: int) -> list[Frame]:
        return list(self.data.draw(frames(self.log, after=after, thoughts=self.thoughts)))
