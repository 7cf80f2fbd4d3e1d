"""One WebSocket of daphne: autobahn's protocol with our write path, close codes, and time-outs that spare slow readers.

Imports autobahn and so Twisted: import it after the reactor was chosen (`daphne.py` does).
"""

import random
import time
from collections.abc import Callable
from typing import Any, Final

from autobahn.websocket.types import ConnectionDeny
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import tcp
from twisted.internet.interfaces import IPushProducer, ISSLTransport
from zope.interface import implementer  # type: ignore[import-untyped]

from streaming.servers.base import Drain, Frame, Limits
from streaming.servers.sockets import bound_send_buffer, bytes_acked

CLOSE_TIMEOUT: Final = 10.0
"""Seconds for a peer to take what is buffered and answer a close frame, then the connection is aborted."""

_OPEN = WebSocketProtocol.STATE_OPEN
_CONNECTING = WebSocketProtocol.STATE_CONNECTING
_GOING_AWAY: Final = 1012
_MAX_REASON: Final = 123


class DaphneWriter:
    """A `SocketWriter` that sends to the socket itself while Twisted's buffers for it are empty.

    What the socket does not take goes to Twisted's transport, as do all frames after it until that is empty again:
    so nothing overtakes, neither frames nor the pings, pongs and closes that autobahn writes there.

    Whether the direct way is open is kept in one flag: looking at protocol and transport for each frame costs 2 µs,
    a third of the whole delivery. The transport tells of every change: it calls its own `startWriting` when anything
    is to be written or it is to close, and `stopWriting` when nothing is left; both are wrapped, for this one socket.
    """

    __slots__ = ("_direct", "_finished", "_limits", "_protocol", "_send", "_transport")

    def __init__(self, protocol: "LiveSocket", limits: Limits) -> None:
        transport = protocol.transport
        self._protocol = protocol
        self._transport = transport
        self._send: Callable[[bytes], int] = transport.socket.send
        self._limits = limits
        self._finished = False
        # Twisted pauses its producer, the protocol, over this many bytes and resumes it when all are written.
        transport.bufferSize = limits.low
        transport.startWriting = self._start_writing
        transport.stopWriting = self._stop_writing
        self._direct = self._is_direct()

    def write(self, frame: Frame, *, force: bool = False) -> bool:
        if not self._direct:
            return self._write_behind(frame, force)
        wire = frame.wire
        send = self._send  # not called as a method: an instance's slot is found in the slow way then
        try:
            sent = send(wire)
        except OSError:
            # EAGAIN: the transport waits for room. Anything else: it finds the same error and ends the connection.
            sent = 0
        if sent != len(wire):
            self._transport.write(wire[sent:])
        return True

    async def drained(self) -> None:
        while self.buffered > self._limits.low and not self.closed:
            await self._protocol.drain.wait()

    async def flush(self) -> None:
        return

    def finish(self) -> None:
        self._finished = True
        self._direct = False
        self._protocol.drain.wake()

    @property
    def buffered(self) -> int:
        transport = self._transport
        if transport.disconnected:
            return 0
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)

    @property
    def closed(self) -> bool:
        transport = self._transport
        if self._finished or transport.disconnected or transport.disconnecting:
            return True
        return self._protocol.state not in (_OPEN, _CONNECTING)

    def release(self) -> None:
        """The connection is gone: undo the wrapping, which ties writer and transport to each other."""
        self.finish()
        for name in ("startWriting", "stopWriting"):
            self._transport.__dict__.pop(name, None)

    def _write_behind(self, frame: Frame, force: bool) -> bool:
        if self._protocol.state == _CONNECTING:
            raise RuntimeError("This WebSocket is not accepted yet: send websocket.accept before the first frame.")
        if self.closed or (not force and self.buffered > self._limits.high):
            return False
        self._transport.write(frame.wire)
        return True

    def _is_direct(self) -> bool:
        transport = self._transport
        return (
            self._protocol.state == _OPEN
            and not self._finished
            and bool(transport.connected)
            and not transport.disconnecting
            and not transport.dataBuffer
            and not transport._tempDataLen
        )

    def _start_writing(self) -> None:
        self._direct = False
        tcp.Server.startWriting(self._transport)  # type: ignore[no-untyped-call]

    def _stop_writing(self) -> None:
        tcp.Server.stopWriting(self._transport)  # type: ignore[no-untyped-call]
        self._direct = self._is_direct()


@implementer(IPushProducer)
class LiveSocket(WebSocketProtocol):  # type: ignore[misc]
    """daphne's WebSocket protocol, ours where it matters (each override says why)."""

    def __init__(self) -> None:
        super().__init__()
        self.drain = Drain()
        self._paused = False
        self._acked_at_ping: int | None = None
        self._abort_call: Any = None
        self._writer: DaphneWriter | None = None

    def onConnect(self, request: Any) -> Any:
        # Twisted's HTTP channel is still the transport's producer after the upgrade; from here on it is the socket.
        self.transport.unregisterProducer()
        self.transport.registerProducer(self, True)
        if self.is_direct:
            bound_send_buffer(self.transport.socket)
        return super().onConnect(request)

    @property
    def is_direct(self) -> bool:
        """Whether the transport is a plain TCP or Unix socket: TLS, and what is not known, is written by the server."""
        return isinstance(self.transport, tcp.Server) and not self.is_secure

    @property
    def is_secure(self) -> bool:
        """Whether the peer speaks TLS with us (not with a proxy before us)."""
        return bool(ISSLTransport.providedBy(self.transport))

    def writer(self, limits: Limits) -> DaphneWriter:
        """The scope's extension: the fast writer of this socket."""
        if self._writer is not None:
            raise RuntimeError("This WebSocket has its writer already: call writer_for once for each socket.")
        self._writer = DaphneWriter(self, limits)
        return self._writer

    # The transport's buffer: pauses `send` (see `Server.handle_reply`), wakes who waits.

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.drain.wake()

    def stopProducing(self) -> None:
        self.resumeProducing()

    async def writable(self) -> None:
        """Return when the transport's buffer has room, or the socket is closing."""
        while self._paused and self.state == _OPEN:
            await self.drain.wait()

    # Closing: any code and the reason, in order, and never for longer than CLOSE_TIMEOUT.

    def handle_reply(self, message: dict[str, Any]) -> None:
        if self.state == _CONNECTING:
            super().handle_reply(message)
        elif message["type"] == "websocket.close":
            # daphne's own way drops the reason, and refuses 1009 and 1012.
            reason = str(message.get("reason") or "").encode()[:_MAX_REASON].decode(errors="ignore")
            code = message.get("code")
            self.sendCloseFrame(code=1000 if code is None else code, reasonUtf8=reason.encode() or None)
        elif message["type"] == "websocket.send" and self.state == _OPEN:
            # daphne's own way drops empty texts, and holds what we send to the limit for what we receive.
            text, data = message.get("text"), message.get("bytes")
            if text is not None:
                self.sendFrame(opcode=self.MESSAGE_TYPE_TEXT, payload=text.encode())
            elif data is not None:
                self.sendFrame(opcode=self.MESSAGE_TYPE_BINARY, payload=data)

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        super().sendCloseFrame(code=code, reasonUtf8=reasonUtf8, isReply=isReply)
        self.drain.wake()

    def dropConnection(self, abort: bool = False) -> None:
        super().dropConnection(abort=abort)
        if not abort and self._abort_call is None:
            # A graceful loss waits for the buffer to empty: for ever, with a peer that does not read.
            self._abort_call = self.factory.reactor.callLater(CLOSE_TIMEOUT, self.transport.abortConnection)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if self._abort_call is not None and self._abort_call.active():
            self._abort_call.cancel()
        if self._writer is not None:
            self._writer.release()
        self.drain.wake()
        super().onClose(wasClean, code, reason)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == _OPEN:
            super().onMessage(payload, isBinary)

    def going_away(self) -> None:
        """The server stops: close with 1012, or refuse one that is not accepted yet."""
        if self.state == _OPEN:
            self.sendCloseFrame(code=_GOING_AWAY)
        elif self.state == _CONNECTING:
            self.application_ended(None)

    def application_ended(self, error: BaseException | None) -> None:
        """The application returned or failed while the socket was there: nobody is left to serve it."""
        handshake = self.__dict__.pop("handshake_deferred", None)
        if handshake is not None:
            handshake.errback(_denial(500 if error else 503))
        elif self.state == _OPEN:
            self.sendCloseFrame(code=1011 if error else 1000)

    # Pings.

    def onOpen(self) -> None:
        # Sockets that came together (after a restart) are not pinged together.
        self.last_ping = time.time() - random.uniform(0, self.server.ping_interval)
        super().onOpen()

    def check_timeouts(self) -> None:
        # daphne pings again while it waits for a pong, and forgets the first time-out, which then ends a live socket.
        if self.state != _OPEN or self.autoPingTimeoutCall is None:
            super().check_timeouts()

    def _sendAutoPing(self) -> None:
        self._acked_at_ping = self._bytes_acked()
        super()._sendAutoPing()

    def onAutoPingTimeout(self) -> None:
        acked = self._bytes_acked()
        if acked is not None and acked != self._acked_at_ping:
            # Slow, not dead: our ping waits behind what the peer is still reading. The hub judges slowness.
            self._acked_at_ping = acked
            self.autoPingTimeoutCall = self.factory._batched_timer.call_later(
                self.autoPingTimeout, self.onAutoPingTimeout
            )
            return
        super().onAutoPingTimeout()

    def _bytes_acked(self) -> int | None:
        return bytes_acked(self.transport.socket) if self.is_direct else None


def _denial(status: int) -> ConnectionDeny:
    return ConnectionDeny(status, reason="The server cannot serve this socket.")  # type: ignore[no-untyped-call]


class LiveSocketFactory(WebSocketFactory):  # type: ignore[misc]
    """Builds `LiveSocket`s."""

    protocol = LiveSocket
