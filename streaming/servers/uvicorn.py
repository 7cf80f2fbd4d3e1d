"""Start uvicorn in this process: our sockets, uvloop, graceful SIGTERM. The same options as `daphne.py`."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType
from typing import Any

import uvicorn

from streaming.servers.sockets import Ready, listen, tell_ready
from streaming.servers.uvicorn_socket import LiveSocket

logger = logging.getLogger(__name__)


def serve_uvicorn(
    application: Any,
    host: str,
    port: int,
    *,
    fd: int | None = None,
    ready_callback: Ready | None = None,
    drain: Callable[[], Awaitable[None]] | None = None,
    stop_timeout: float = 4.0,
    forwarded_allow_ips: Sequence[str] | str | None = None,
    max_frame_bytes: int = 1024 * 1024,
    ping_interval: float = 20.0,
    ping_timeout: float = 40.0,
    loop: str = "uvloop",
) -> None:
    """Serve `application` until SIGTERM or SIGINT; return when all is closed. Options as `serve_daphne` has them.

    Raises OSError where it cannot listen.
    """
    listener = listen(host, port, fd=fd)
    config = uvicorn.Config(
        application,
        loop="auto" if loop == "uvloop" else loop,  # "auto" is uvloop wherever that exists.
        http="auto",
        ws=LiveSocket,
        ws_max_size=max_frame_bytes,
        ws_per_message_deflate=False,
        ws_ping_interval=ping_interval,
        ws_ping_timeout=ping_timeout,
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=forwarded_allow_ips is not None,
        forwarded_allow_ips=_trusted(forwarded_allow_ips),
        timeout_graceful_shutdown=max(1, round(stop_timeout)),
    )
    server = _Server(config, listener, ready_callback, drain, stop_timeout)
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()


def _trusted(allowed: Sequence[str] | str | None) -> list[str] | str | None:
    return allowed if allowed is None or isinstance(allowed, str) else list(allowed)


class _Server(uvicorn.Server):
    """uvicorn's server that says when it listens, drains first, and ends with exit code 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        listener: socket.socket,
        ready: Ready | None,
        drain: Callable[[], Awaitable[None]] | None,
        stop_timeout: float,
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._ready = ready
        self._drain = drain
        self._stop_timeout = stop_timeout

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        tell_ready(self._listener, self._ready)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn would raise the signal again at its end, and the supervisor take a stop for a crash.
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        try:
            if self._drain is not None:
                await asyncio.wait_for(self._drain(), self._stop_timeout)
        except TimeoutError:
            logger.warning("Draining took longer than %s s and was cut short.", self._stop_timeout)
        except Exception:
            logger.exception("Draining failed; stopping all the same.")
        disconnect = asyncio.get_running_loop().call_later(self._stop_timeout / 2, self._disconnect_requests)
        try:
            await super().shutdown(sockets=sockets)
        finally:
            disconnect.cancel()

    def _disconnect_requests(self) -> None:
        """Requests that are still answered (SSE) hear `http.disconnect`: their applications end, nothing is cancelled."""
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
                connection.transport.close()
