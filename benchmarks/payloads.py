"""The token text inside a payload, for each way of wrapping it. All targets carry the same event; only the wrap differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from benchmarks.task import Dialect

Unwrap = Callable[[bytes], str]

LOG = "stream:00000000-0000-4000-8000-000000000000"
STREAM = "00000000-0000-4000-8000-000000000000"


def event(number: int, text: str, sent_ms: int) -> dict[str, Any]:
    """The `token` event of PROTOCOL.md that peers carry, so that every target sends about the same bytes."""
    return {
        "type": "token",
        "log": LOG,
        "seq": number + 1,
        "ts": sent_ms,
        "stream": STREAM,
        "data": text,
        "n": 1,
    }


def _text_of(message: Any) -> str:
    if isinstance(message, dict) and message.get("type") == "token":
        return str(message["data"])
    return ""


def unwrap_event(payload: bytes) -> str:
    """A frame that is the event itself."""
    return _text_of(orjson.loads(payload))


def unwrap_socket_io(payload: bytes) -> str:
    """A Socket.IO event packet: `42["token",{…}]`; every other packet (a heartbeat) holds no text."""
    if not payload.startswith(b"42"):
        return ""
    return _text_of(orjson.loads(payload[2:])[1])


UNWRAP: dict[Dialect, Unwrap] = {"event": unwrap_event, "socket.io": unwrap_socket_io}
