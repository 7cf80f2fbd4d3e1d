"""The fast write path: one pre-built WebSocket frame to all sockets, on daphne, on uvicorn, and plainly on any server.

`daphne.py` and `uvicorn.py` start those servers; import them where they are started, they bring their event loop along.
"""

from collections.abc import Mapping
from typing import Any

from streaming.servers.base import EXTENSION, Drain, Frame, Limits, SocketWriter, WriterFactory, frame_header
from streaming.servers.plain import PlainWriter, Send

__all__ = [
    "EXTENSION",
    "Drain",
    "Frame",
    "Limits",
    "PlainWriter",
    "Send",
    "SocketWriter",
    "WriterFactory",
    "frame_header",
    "writer_for",
]


def writer_for(scope: Mapping[str, Any], send: Send, limits: Limits | None = None) -> SocketWriter:
    """The writer of this socket: the server's own where the scope carries one, else plain ASGI. Call it once a socket."""
    limits = limits or Limits()
    factory: WriterFactory | None = (scope.get("extensions") or {}).get(EXTENSION)
    return factory(limits) if factory is not None else PlainWriter(send, limits)
