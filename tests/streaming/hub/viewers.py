"""A viewer for the tests of the hub: takes frames as a socket would, and keeps to the client's rules."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hanzo_live.protocol import Position, State
from streaming.hub import Hub, Subscription, View
from streaming.servers import Frame

PLAIN = View()


class Viewer:
    """The socket's writer, the hub's watcher, and the client behind it, in one."""

    def __init__(self, user_id: str | None = None) -> None:
        self.user_id = user_id
        self.writer = self
        self.frames: list[dict[str, Any]] = []
        self.state = State()
        self.position = Position()
        self.gaps = 0
        self.slow = False
        self.closed = False
        self.buffered = 0
        self.given_up = False
        self.ended: str | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()

    # the writer's side

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        if self.slow and not force:
            return False
        self._take(json.loads(frame.payload))
        self._changed.set()
        return True

    async def drained(self) -> None:
        while self.slow:
            self._room.clear()
            await self._room.wait()

    async def flush(self) -> None: ...

    def finish(self) -> None: ...

    def read_again(self) -> None:
        self.slow = False
        self._room.set()

    # the watcher's side

    def detached(self, log: str) -> None:
        self.ended = log

    def too_slow(self) -> None:
        self.given_up = True
        self._changed.set()

    # the client's side

    def _take(self, event: dict[str, Any]) -> None:
        self.frames.append(event)
        verdict = self.position.apply(event)
        if verdict == "gap":
            self.gaps += 1
        elif verdict == "apply":
            self.state.apply(event)

    async def until(self, condition: Any) -> None:
        """Wait until `condition(self)` holds after some frame, or something else that happened to this viewer."""
        async with asyncio.timeout(10):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    def text(self, stream: str) -> str:
        return self.state.streams[stream].content if stream in self.state.streams else ""

    async def watch(
        self, hub: Hub, log: str, view: View = PLAIN, *, resume: bool = False, tail: int = 50
    ) -> Subscription:
        """Subscribe as the consumer does; with `resume` from the position that this client has."""
        known = self.position.resubscribe() if resume else {}
        subscription, mode = await hub.subscribe(self, log, view, tail=tail, **known)
        self.position.subscribed({"mode": mode, "epoch": subscription.epoch, "seq": subscription.log.ring.head})
        hub.release(subscription)
        return subscription
