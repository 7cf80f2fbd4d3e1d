"""daphne's server with our sockets: HTTP and SSE that wait for slow readers, applications reaped when they end, drain.

Imports daphne.server and so Twisted's reactor: `daphne.py` chooses that first.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from twisted.internet import reactor as _installed
from twisted.internet.interfaces import IPushProducer
from twisted.logger import FilteringLogObserver, LogLevel, LogLevelFilterPredicate, STDLibLogObserver, globalLogBeginner
from zope.interface import implementer  # type: ignore[import-untyped]

from streaming.servers.base import EXTENSION, Drain
from streaming.servers.daphne_socket import CLOSE_TIMEOUT, LiveSocket, LiveSocketFactory

logger = logging.getLogger(__name__)

reactor: Any = _installed

_SWEEP_S: Final = 2.0
"""Every connection's time-outs and pings are looked at this often,"""
_SLICES: Final = 20
"""in this many slices, so that 10,000 sockets never hold the loop for one long look."""


@implementer(IPushProducer)
class LiveRequest(WebRequest):  # type: ignore[misc]
    """One HTTP request. A streaming response waits for its reader, where daphne buffers without bound."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.drain = Drain()
        self._paused = False
        super().__init__(*args, **kwargs)

    def handle_reply(self, message: dict[str, Any]) -> None:
        streams = message["type"] == "http.response.body" and message.get("more_body", False)
        if streams and self.producer is None and self.channel is not None and not self.finished:
            self.registerProducer(self, True)
        super().handle_reply(message)

    def finish(self) -> None:
        if self.producer is not None:
            self.unregisterProducer()
        super().finish()
        self.drain.wake()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.drain.wake()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.drain.wake()

    def stopProducing(self) -> None:
        self.resumeProducing()

    async def writable(self) -> None:
        """Return when the connection's buffer has room, or the request is over."""
        # In this order: what is finished has no channel any more.
        while self._paused and not self.finished and self.channel is not None:
            await self.drain.wait()

    def going_away(self) -> None:
        """The server stops: the application hears `http.disconnect`, as if the client had left."""
        if self.application_queue is not None:
            self.send_disconnect()

    def application_ended(self, error: BaseException | None) -> None:
        """The application returned or failed. A response half sent is cut, so that nobody takes it for whole."""
        if self.finished or self.channel is None:
            return
        if self._response_started:
            self.loseConnection()
        else:
            self.basic_error(500, b"Internal Server Error", "The application did not answer this request.")


class LiveHTTPFactory(HTTPFactory):  # type: ignore[misc]
    """Builds HTTP channels whose requests are `LiveRequest`s."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LiveRequest
        return protocol


class LiveServer(Server):  # type: ignore[misc]
    """daphne's `Server` on a socket that listens already."""

    def __init__(
        self,
        application: Any,
        listener: socket.socket,
        *,
        drain: Callable[[], Awaitable[None]] | None,
        stop_timeout: float,
        **options: Any,
    ) -> None:
        super().__init__(application, endpoints=[f"fd:{listener.fileno()}"], signal_handlers=False, **options)
        self.connections: dict[Any, dict[str, Any]] = {}
        self._listener = listener
        self._drain = drain
        self._stop_timeout = stop_timeout
        self._port: Any = None
        self._stopping: asyncio.Task[None] | None = None
        self._to_check: list[Any] = []
        self._slice = 1
        self._changed = Drain()

    def run(self) -> None:
        """Serve until `stop_gracefully` is done."""
        observer: Any = STDLibLogObserver("twisted")
        level: Any = LogLevelFilterPredicate(LogLevel.error)
        errors: Any = FilteringLogObserver(observer, [level])
        globalLogBeginner.beginLoggingTo([errors], redirectStandardIO=False, discardBuffer=True)
        self.http_factory = LiveHTTPFactory(self)
        self.ws_factory = LiveSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=CLOSE_TIMEOUT,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            # A frame that is refused is answered with its close code (1009, 1007, 1002), not with a dropped connection.
            failByDrop=False,
        )
        self._port = reactor.adoptStreamPort(self._listener.fileno(), self._listener.family, self.http_factory)
        reactor.callWhenRunning(self._sweep)
        if self.ready_callable is not None:
            reactor.callWhenRunning(self.ready_callable)
        reactor.run(installSignalHandlers=False)

    # Applications: one task a connection, reaped by its own callback where daphne polls all of them every second.

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "websocket":
            scope.setdefault("scheme", "wss" if protocol.is_secure else "ws")
            scope.setdefault("http_version", "1.1")
            if protocol.is_direct:
                scope.setdefault("extensions", {})[EXTENSION] = protocol.writer
        queue = super().create_application(protocol, scope)
        task: asyncio.Task[None] = self.connections[protocol]["application_instance"]
        task.add_done_callback(lambda done: self._application_ended(protocol, done))
        return queue

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        await super().handle_reply(protocol, message)
        if message["type"] in ("websocket.send", "http.response.body"):
            await protocol.writable()

    def protocol_disconnected(self, protocol: Any) -> None:
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        details["disconnected"] = time.time()
        if "application_instance" in details:
            loop = asyncio.get_running_loop()
            details["kill"] = loop.call_later(self.application_close_timeout, self._kill, protocol)
        else:
            self._forget(protocol)

    def _application_ended(self, protocol: Any, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("Exception inside application: %s", error, exc_info=error)
        details = self.connections.get(protocol)
        if details is None:
            return
        details.pop("application_instance", None)
        if "disconnected" in details:
            self._forget(protocol)
        else:
            protocol.application_ended(error)

    def _kill(self, protocol: Any) -> None:
        task = self.connections[protocol].get("application_instance")
        if task is not None:
            logger.warning(
                "The application of %r was still at work %s s after its client left, and is cancelled.",
                protocol,
                self.application_close_timeout,
            )
            task.cancel()

    def _forget(self, protocol: Any) -> None:
        details = self.connections.pop(protocol)
        if "kill" in details:
            details["kill"].cancel()
        self._changed.wake()

    # Time-outs and pings.

    def _sweep(self) -> None:
        if not self._to_check:
            self._to_check = list(self.connections)
            self._slice = max(1, -(-len(self._to_check) // _SLICES))
        for protocol in self._to_check[: self._slice]:
            if "disconnected" not in self.connections.get(protocol, {"disconnected": 0}):
                protocol.check_timeouts()
        del self._to_check[: self._slice]
        reactor.callLater(_SWEEP_S / _SLICES, self._sweep)

    # Stopping.

    def begin_stop(self) -> None:
        """SIGTERM: stop in order, in `stop_timeout` seconds and a little. Asked again: stop now."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self.stop_gracefully())
        elif reactor.running:
            reactor.stop()

    async def stop_gracefully(self) -> None:
        """Accept nothing more, let the application drain, close sockets with 1012, let requests end, then stop."""
        self._port.stopListening()
        self._listener.close()  # The port has a duplicate; while one is open, the system queues new connections.
        try:
            if self._drain is not None:
                await asyncio.wait_for(self._drain(), self._stop_timeout)
        except TimeoutError:
            logger.warning("Draining took longer than %s s and was cut short.", self._stop_timeout)
        except Exception:
            logger.exception("Draining failed; stopping all the same.")
        for protocol in list(self.connections):
            if isinstance(protocol, LiveSocket):
                protocol.going_away()
        if not await self._all_gone(self._stop_timeout / 2):
            for protocol in list(self.connections):
                if isinstance(protocol, LiveRequest):
                    protocol.going_away()
            await self._all_gone(self._stop_timeout / 2)
        if reactor.running:
            reactor.stop()

    async def _all_gone(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while self.connections:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True
