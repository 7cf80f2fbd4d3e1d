"""Start daphne in this process: our sockets, graceful SIGTERM, an event loop of uvloop's under Twisted's asyncio reactor.

One server a process, once: Twisted's reactor does not start again. A supervisor runs it in a child.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from streaming.servers.sockets import Ready, listen, tell_ready


def serve_daphne(
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
    handshake_timeout: float = 20.0,
    application_close_timeout: float = 30.0,
    loop: str = "uvloop",
) -> None:
    """Serve `application` until SIGTERM or SIGINT; return when all is closed.

    `fd` is a listening socket to use instead of `host` and `port`. `drain` is awaited first when stopping, for at most
    `stop_timeout` seconds; sockets then close with 1012, and requests have as long again. `forwarded_allow_ips` are
    the proxies (addresses, networks or "*") whose X-Forwarded-For and -Proto are believed; None believes none.
    `ping_timeout` may pass as often as the peer took bytes meanwhile. Raises OSError where it cannot listen.
    """
    listener = listen(host, port, fd=fd)
    event_loop = _install_reactor(loop)
    from streaming.servers.daphne_server import LiveServer  # Only now: it imports the reactor.

    if forwarded_allow_ips is not None:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        trusted = forwarded_allow_ips if isinstance(forwarded_allow_ips, str) else list(forwarded_allow_ips)
        application = ProxyHeadersMiddleware(application, trusted_hosts=trusted)
    server = LiveServer(
        application,
        listener,
        drain=drain,
        stop_timeout=stop_timeout,
        http_timeout=None,
        websocket_timeout=-1,
        websocket_connect_timeout=handshake_timeout,
        websocket_handshake_timeout=handshake_timeout,
        websocket_max_frame_size=max_frame_bytes,
        websocket_max_message_size=max_frame_bytes,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        application_close_timeout=application_close_timeout,
        ready_callable=lambda: tell_ready(listener, ready_callback),
        server_name="",
    )
    for signum in (signal.SIGTERM, signal.SIGINT):
        event_loop.add_signal_handler(signum, server.begin_stop)
    try:
        server.run()
    finally:
        listener.close()
        _end_loop(event_loop)


def _install_reactor(loop: str) -> asyncio.AbstractEventLoop:
    """The event loop under the reactor: a new one, or that of an asyncio reactor which was there before."""
    from twisted.internet import asyncioreactor

    installed = sys.modules.get("twisted.internet.reactor")
    if installed is None:
        event_loop = _new_loop(loop)
        asyncio.set_event_loop(event_loop)
        asyncioreactor.install(event_loop)  # type: ignore[no-untyped-call]
        return event_loop
    if not isinstance(installed, asyncioreactor.AsyncioSelectorReactor):
        raise RuntimeError(f"daphne needs Twisted's asyncio reactor, but {type(installed).__name__} is installed.")
    asyncio.set_event_loop(installed._asyncioEventloop)
    return installed._asyncioEventloop


def _new_loop(loop: str) -> asyncio.AbstractEventLoop:
    if loop == "uvloop":
        try:
            import uvloop
        except ImportError:
            return asyncio.new_event_loop()  # Not made for Windows.
        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def _end_loop(loop: asyncio.AbstractEventLoop) -> None:
    """What `asyncio.run` does at its end: cancel what is left, close generators and threads."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
