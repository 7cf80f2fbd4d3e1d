"""The web process of `serve`: the ASGI server of the operator's choice on the socket that the supervisor listens on."""

from __future__ import annotations

import gc
import os

from hanzolive.cli.programs import LISTENER_FD
from hanzolive.threads import hand_over_quickly

# Draining may take that long, and requests that are still answered as long again.
STOP_TIMEOUT = 1.5


async def drain() -> None:
    """New visitors are sent elsewhere, and those who are here are told to come back."""
    from hanzolive.health import start_draining
    from streaming.sockets import attendance
    from streaming.sockets.draining import send_goaway

    start_draining()
    await attendance.drain()
    send_goaway()


def main() -> None:
    hand_over_quickly()
    descriptor = int(os.environ[LISTENER_FD])
    # Before the application: which event loop Twisted gets is decided by who imports it first.
    from hanzolive.asgi import application
    from hanzolive.settings import HOST, MAX_FRAME_BYTES, OPTIONS, PORT, TRUSTED_PROXIES
    from streaming.servers.daphne import serve_daphne
    from streaming.servers.uvicorn import serve_uvicorn

    # What is loaded by now lives as long as the process: no collection need walk over it.
    gc.freeze()
    serve = serve_uvicorn if OPTIONS["SERVER"] == "uvicorn" else serve_daphne
    serve(
        application,
        HOST,
        PORT,
        fd=descriptor,
        drain=drain,
        stop_timeout=STOP_TIMEOUT,
        max_frame_bytes=MAX_FRAME_BYTES,
        forwarded_allow_ips=TRUSTED_PROXIES or None,
    )


if __name__ == "__main__":
    main()
