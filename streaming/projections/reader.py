"""Reading a log through the hub from code that pulls: an HTTP response, where there is no socket to write to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Literal

import orjson

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.hub import Subscription, View, the_hub
from streaming.servers import Drain, Frame, Limits, SocketWriter

KEEP_ALIVE_S = 15.0


class LogReader:
    """A watcher and its writer in one. Frames wait here until they are pulled; over the limit the hub skips us.

    Use as `async with`; leaving ends the subscription.
    """

    def __init__(self, user_id: str | None, limits: Limits | None = None) -> None:
        self.user_id = user_id
        self.writer: SocketWriter = self
        self.buffered = 0
        self.closed = False
        self._limits = limits or Limits()
        self._frames: deque[Frame] = deque()
        self._arrived = asyncio.Event()
        self._drain = Drain()
        self._over = False
        self.subscription: Subscription | None = None

    async def subscribe(
        self,
        log: str,
        view: View,
        *,
        epoch: str | None = None,
        seq: int | None = None,
        start: Literal["head", "beginning"] | None = None,
        tail: int = 50,
    ) -> str:
        """Subscribe, held; returns the mode (`live`, `replay`, `snapshot`). Raises LiveError."""
        self.subscription, mode = await the_hub().subscribe(
            self, log, view, epoch=epoch, seq=seq, start=start, tail=tail
        )
        return mode

    def begin(self) -> None:
        """Let frames come."""
        assert self.subscription is not None
        the_hub().release(self.subscription)

    async def events(self) -> AsyncIterator[dict[str, Any] | None]:
        """The events as they come; None after 15 s without one. Ends when the subscription does."""
        while True:
            while self._frames:
                yield orjson.loads(self._take().payload)
            if self._over:
                return
            self._arrived.clear()
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await self._arrived.wait()
            except TimeoutError:
                yield None

    def _take(self) -> Frame:
        frame = self._frames.popleft()
        self.buffered -= len(frame)
        if self.buffered <= self._limits.low:
            self._drain.wake()
        return frame

    def close(self) -> None:
        self.closed = True
        self._drain.wake()
        if self.subscription is not None:
            the_hub().unsubscribe(self.subscription)

    async def __aenter__(self) -> LogReader:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    # As the hub's SocketWriter

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        if self.closed or (self.buffered > self._limits.high and not force):
            return False
        self._frames.append(frame)
        self.buffered += len(frame)
        self._arrived.set()
        return True

    async def drained(self) -> None:
        while self.buffered > self._limits.low and not self.closed:
            await self._drain.wait()

    async def flush(self) -> None:
        return

    def finish(self) -> None:
        self.closed = True

    # As the hub's Watcher

    def detached(self, log: str) -> None:
        self._over = True
        self._arrived.set()

    def too_slow(self) -> None:
        self.end(
            LiveError(ErrorCode.RATE_LIMITED, "Nothing was read for a minute. Reconnect and resume.", retry_after=1)
        )

    def end(self, error: LiveError) -> None:
        """Say why, and let nothing more come."""
        if self._over:
            return
        self.write(Frame(orjson.dumps(error.wire())), force=True)
        self.closed = self._over = True
        self._arrived.set()
