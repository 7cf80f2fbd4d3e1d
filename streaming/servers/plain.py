"""The writer for any ASGI server: frames go through plain `send`, one at a time, from a task that lives while some wait.

The fallback for servers that are not ours and for TLS. It cannot know how much the server buffers behind `send`:
a server whose `send` waits for a slow peer (uvicorn, our daphne) makes `buffered` mean what it says.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from streaming.servers.base import Drain, Frame, Limits

logger = logging.getLogger(__name__)

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class PlainWriter:
    """A `SocketWriter` over ASGI `send`."""

    __slots__ = ("_buffered", "_closed", "_drain", "_limits", "_pump", "_send", "_waiting")

    def __init__(self, send: Send, limits: Limits) -> None:
        self._send = send
        self._limits = limits
        self._waiting: deque[Frame] = deque()
        self._buffered = 0
        self._closed = False
        self._drain = Drain()
        self._pump: asyncio.Task[None] | None = None

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        if self._closed or (self._buffered > self._limits.high and not force):
            return False
        self._waiting.append(frame)
        self._buffered += len(frame.payload)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._send_waiting())
        return True

    async def drained(self) -> None:
        while self._buffered > self._limits.low and not self._closed:
            await self._drain.wait()

    async def flush(self) -> None:
        while self._buffered and not self._closed:
            await self._drain.wait()

    def finish(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._buffered = 0
        self._drain.wake()

    @property
    def buffered(self) -> int:
        return self._buffered

    @property
    def closed(self) -> bool:
        return self._closed

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                frame = self._waiting.popleft()
                await self._send({"type": "websocket.send", "text": frame.text})
                if self._closed:
                    return
                self._buffered -= len(frame.payload)
                if self._buffered <= self._limits.low:
                    self._drain.wake()
        except Exception as error:
            # Servers differ in what they raise for a peer that left (OSError, RuntimeError, their own): all end here.
            logger.debug("A socket was lost while sending: %r", error)
            self.finish()
        finally:
            self._pump = None
