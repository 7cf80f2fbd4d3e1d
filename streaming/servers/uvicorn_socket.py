"""One WebSocket of uvicorn: its websockets-sansio protocol with our write path and closes that a slow peer gets too."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from streaming.servers.base import EXTENSION, Drain, Frame, Limits
from streaming.servers.sockets import bound_send_buffer, bytes_acked

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.frames import Frame as ReceivedFrame

CLOSE_TIMEOUT: Final = 10.0
"""Seconds for a peer to take what is buffered and answer a close frame, then the connection is aborted."""

LINGER: Final = 0.5
"""Seconds without a byte from a peer that was refused for what it sent, then the connection is closed."""


class UvicornWriter:
    """A `SocketWriter` that sends to the socket itself while the transport's buffer for it is empty.

    What the socket does not take goes to the transport, as do all frames after it until that is empty again: so
    nothing overtakes, neither frames nor the pings, pongs and closes that uvicorn writes there (`_Watched`).
    """

    __slots__ = ("_finished", "_limits", "_protocol", "_send", "_socket", "_transport", "direct")

    def __init__(self, protocol: "LiveSocket", limits: Limits) -> None:
        transport = protocol.transport
        self._protocol = protocol
        self._transport = transport
        self._limits = limits
        self._finished = False
        # A second object for the same descriptor, for transports hide theirs. `release` lets go of it before the
        # transport closes the descriptor, so it cannot write to a stranger's.
        shown = transport.get_extra_info("socket")
        self._socket = socket.socket(shown.family, shown.type, shown.proto, fileno=shown.fileno())
        self._socket.setblocking(False)
        self._send: Callable[[bytes], int] = self._socket.send
        transport.set_write_buffer_limits(high=limits.low, low=limits.low)
        self.direct = False
        """Open, and nothing was given to the transport since its buffer was seen empty."""

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        if not self.direct and not self._may_be_direct():
            return self._write_behind(frame, force)
        wire = frame.wire
        send = self._send  # not called as a method: an instance's slot is found in the slow way then
        try:
            sent = send(wire)
        except OSError:
            # EAGAIN: the transport waits for room. Anything else: it finds the same error and ends the connection.
            sent = 0
        if sent != len(wire):
            self.direct = False
            self._transport.write(wire[sent:])
        return True

    async def drained(self) -> None:
        while self.buffered > self._limits.low and not self.closed:
            await self._protocol.drain.wait()

    async def flush(self) -> None:
        return

    def finish(self) -> None:
        self._finished = True
        self.direct = False
        self._protocol.drain.wake()

    @property
    def buffered(self) -> int:
        return 0 if self._protocol.disconnected else self._transport.get_write_buffer_size()

    @property
    def closed(self) -> bool:
        protocol = self._protocol
        return self._finished or protocol.close_sent or protocol.disconnected or self._transport.is_closing()

    def release(self) -> None:
        """The connection is gone, its descriptor about to be closed."""
        self.finish()
        self._socket.detach()

    def _may_be_direct(self) -> bool:
        self.direct = self._protocol.handshake_complete and not self.closed and self.buffered == 0
        return self.direct

    def _write_behind(self, frame: Frame, force: bool) -> bool:
        if not self._protocol.handshake_complete:
            raise RuntimeError("This WebSocket is not accepted yet: send websocket.accept before the first frame.")
        if self.closed or (not force and self.buffered > self._limits.high):
            return False
        self._transport.write(frame.wire)
        return True


class _Watched:
    """The transport as uvicorn's protocol holds it: whatever goes through it first ends the writer's direct way."""

    __slots__ = ("_transport", "_writer")

    def __init__(self, transport: asyncio.Transport, writer: UvicornWriter) -> None:
        self._transport = transport
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        self._writer.direct = False
        self._transport.write(data)

    def write_eof(self) -> None:
        self._writer.direct = False
        self._transport.write_eof()

    def close(self) -> None:
        self._writer.direct = False
        self._transport.close()

    def abort(self) -> None:
        self._writer.direct = False
        self._transport.abort()


class LiveSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, ours where it matters (each override says why)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.drain = Drain()
        self.close_timeout = CLOSE_TIMEOUT
        self._writer: UvicornWriter | None = None
        self._lingering: asyncio.TimerHandle | None = None
        self._acked_at_ping: int | None = None
        self._abort_timer: asyncio.TimerHandle | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.close_sent or self.scheme == "wss":
            return  # Refused already; or TLS, which the server must write itself.
        bound_send_buffer(self.transport.get_extra_info("socket"))
        # The application's task starts in the loop's next turn, and finds the extension there.
        cast(dict[str, Any], self.scope["extensions"])[EXTENSION] = self.writer

    def writer(self, limits: Limits) -> UvicornWriter:
        """The scope's extension: the fast writer of this socket."""
        if self._writer is not None:
            raise RuntimeError("This WebSocket has its writer already: call writer_for once for each socket.")
        self._writer = UvicornWriter(self, limits)
        self.transport = cast(asyncio.Transport, _Watched(self.transport, self._writer))
        return self._writer

    def resume_writing(self) -> None:
        super().resume_writing()
        self.drain.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._abort_timer, self._lingering):
            if timer is not None:
                timer.cancel()
        if self._writer is not None:
            self._writer.release()
        super().connection_lost(exc)
        self.drain.wake()

    # Closing: the close frame is sent at once, in order, and nothing waits for longer than CLOSE_TIMEOUT.

    async def send(self, message: "ASGISendEvent") -> None:
        if message["type"] == "websocket.close":
            # uvicorn would first wait for a slow peer to drain, who is the one to be closed.
            self.writable.set()
        await super().send(message)
        if self.close_sent:
            self._abort_later()

    def handle_close(self, event: "ReceivedFrame") -> None:
        super().handle_close(event)
        self._abort_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._abort_later()

    def data_received(self, data: bytes) -> None:
        if self._lingering is None:
            super().data_received(data)
        else:
            self._linger()

    def handle_parser_exception(self) -> None:
        # uvicorn closes at once; while the peer still sends its 10 MB that becomes a reset, and 1009 is never read.
        # What comes in is dropped until nothing more comes.
        close = self.conn.close_sent
        if close is not None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._linger()
        # In `close_timer`, for uvicorn closes the transport as soon as the application returns unless that is set.
        self.close_timer = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    def _linger(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
        self._lingering = self.loop.call_later(LINGER, self.transport.close)

    def _abort_later(self) -> None:
        self.drain.wake()
        if self._abort_timer is None and not self.disconnected:
            # A graceful close waits for the buffer to empty: for ever, with a peer that does not read.
            self._abort_timer = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    # Pings.

    def send_keepalive_ping(self) -> None:
        self._acked_at_ping = self._bytes_acked()
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        acked = self._bytes_acked()
        if acked is not None and acked != self._acked_at_ping and self.ping_timeout is not None:
            # Slow, not dead: our ping waits behind what the peer is still reading. The hub judges slowness.
            self._acked_at_ping = acked
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self.transport.abort()

    def _bytes_acked(self) -> int | None:
        return bytes_acked(self.transport.get_extra_info("socket")) if self.scheme == "ws" else None
