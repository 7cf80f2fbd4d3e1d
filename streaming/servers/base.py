"""The write side of one WebSocket, as the hub sees it: a frame built once, and a writer that never waits.

Not for reading, accepting or closing sockets: that stays plain ASGI (`receive`, `send`).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

EXTENSION: Final = "hanzo.live.socket"
"""Where a server of ours puts its writer factory in the ASGI scope: `scope["extensions"][EXTENSION]`."""

_FINAL_TEXT: Final = b"\x81"


class Frame:
    """One text message for many sockets. `payload` is UTF-8 JSON; what is derived from it is built once and shared.

    `wire` is the bytes on the wire: an unmasked, final text frame (RFC 6455, 5.2), header and payload.
    """

    __slots__ = ("_text", "payload", "wire")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.wire = frame_header(len(payload)) + payload
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The payload as plain ASGI `websocket.send` wants it."""
        text = self._text
        if text is None:
            text = self._text = self.payload.decode()
        return text

    def __len__(self) -> int:
        return len(self.payload)


def frame_header(length: int) -> bytes:
    """The header of an unmasked final text frame with `length` bytes of payload (7, 16 or 64 bit length)."""
    if length < 126:
        return _FINAL_TEXT + length.to_bytes(1, "big")
    if length < 1 << 16:
        return _FINAL_TEXT + b"\x7e" + length.to_bytes(2, "big")
    return _FINAL_TEXT + b"\x7f" + length.to_bytes(8, "big")


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bytes may wait in user space for one socket: over `high` nothing more is taken, at `low` it is drained."""

    high: int = 256 * 1024
    low: int = 64 * 1024

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.high:
            raise ValueError(f"Write limits need 0 < low <= high, not low={self.low}, high={self.high}.")


class SocketWriter(Protocol):
    """Writes frames to one accepted WebSocket, in order with everything the server itself sends there."""

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        """Take the frame, now, without waiting. False: nothing was taken, for `Limits.high` is passed or it is closed.

        `force` is for replies and for the error before a close: taken whatever waits, unless the socket is closed.
        """

    async def drained(self) -> None:
        """Return when no more than `Limits.low` bytes wait, or at once when the socket is closed: look which it is."""

    async def flush(self) -> None:
        """Return when all that was taken is the server's: a plain `send` of `websocket.close` comes after it then.

        At once on the fast paths, whose order with `send` is given. A slow peer can hold it up elsewhere: bound it.
        """

    def finish(self) -> None:
        """Take no more frames. Call it on `websocket.disconnect` and after `websocket.close`; it closes nothing."""

    @property
    def buffered(self) -> int:
        """Bytes that were taken and are not yet the operating system's."""

    @property
    def closed(self) -> bool:
        """True from the close frame, or the loss of the connection, on."""


WriterFactory = Callable[[Limits], SocketWriter]


class Drain:
    """Where tasks wait for a buffer to empty. Costs nothing for a socket that never fills."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    async def wait(self) -> None:
        """Return at the next `wake`."""
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()

    def wake(self) -> None:
        """Let everyone who waits now look again."""
        event, self._event = self._event, None
        if event is not None:
            event.set()
