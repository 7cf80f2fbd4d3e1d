"""How a stream begins: what its `stream_start` says, whoever begins it."""

from __future__ import annotations

from typing import Literal

from sessions.queries import user_wire
from streaming.models import Stream


def start_event(
    stream: Stream, model: str, node: str, *, cached: Literal["exact", "semantic"] | None = None
) -> dict[str, object]:
    """The event's fields. `model` is what runs (or wrote what is given again), on a `node` that is local or cloud."""
    return {
        "message": str(stream.message) if stream.message else None,
        "model": model,
        "requested_model": stream.requested_model or None,
        "user": user_wire(stream.user) if stream.user else None,
        "node": node,
        "cached": cached,
    }
