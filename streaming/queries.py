"""Streams in the wire's shapes. Who may see them was asked before."""

from __future__ import annotations

from typing import Any

from sessions.queries import time_wire
from streaming.models import Stream


def stream_wire(stream: Stream) -> dict[str, Any]:
    """A stream as REST shows it. `content` is what was saved: of a running one, read the events."""
    return {
        "id": str(stream.pk),
        "session": str(stream.session_id) if stream.session_id else None,
        "message": str(stream.message) if stream.message else None,
        "log": stream.log,
        "status": stream.status,
        "content": stream.content,
        "usage": stream.usage,
        "finish_reason": stream.finish_reason or None,
        "error": stream.error,
        "model": stream.model or None,
        "requested_model": stream.requested_model or None,
        "node": stream.node or None,
        "timings": stream.timings,
        "cached": stream.cached or None,
        "created_at": time_wire(stream.created_at),
        "ended_at": time_wire(stream.ended_at) if stream.ended_at else None,
    }
