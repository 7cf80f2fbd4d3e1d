"""Runs the scripted node under uvicorn: binds first, so that a port in use is one sentence and not a traceback."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping

import uvicorn

from .scripted import create_app


class PortInUse(Exception):
    """The address cannot be bound; the message says what to do."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortInUse."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise PortInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}): choose another one with --host and --port."
        ) from None


def make_server(api_key: str = "", aliases: Mapping[str, str] | None = None) -> uvicorn.Server:
    """The node as a uvicorn server that a caller runs with `server.run(sockets=[…])` or in a task of its own."""
    logging.getLogger("uvicorn.error").addFilter(_is_not_scripted)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(api_key=api_key, aliases=aliases),
            lifespan="off",
            ws="none",
            access_log=False,
            log_level="warning",
            backlog=2048,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
        )
    )


def run(
    host: str,
    port: int,
    *,
    api_key: str = "",
    aliases: Mapping[str, str] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve until SIGINT or SIGTERM. One line says that it is ready, and where. Raises PortInUse."""
    listener = bind(host, port)
    server = make_server(api_key, aliases)
    shown = f"[{host}]" if ":" in host else host
    say(f"ready http://{shown}:{listener.getsockname()[1]} scripted node (no model: it says what its scripts tell it)")
    server.run(sockets=[listener])


def _is_not_scripted(record: logging.LogRecord) -> bool:
    """`script-cut` leaves its answer without an end on purpose; uvicorn reports that as a fault."""
    return "without completing response" not in record.getMessage()
