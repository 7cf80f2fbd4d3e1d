"""What is told of a stream: that it began, ended, or failed. Never what was asked or answered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.dispatch import Signal

EventType = Literal["stream_start", "stream_complete", "stream_error"]

# Each is sent with `sender=Stream` and `event`, a StreamEvent, after the change is committed. At least once: of an
# event that comes again, the `id` is the same.
stream_start = Signal()
stream_complete = Signal()
stream_error = Signal()

SIGNALS: dict[EventType, Signal] = {
    "stream_start": stream_start,
    "stream_complete": stream_complete,
    "stream_error": stream_error,
}


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event. `id` is its own, however often it is told. Milliseconds count from the stream's start."""

    id: str
    type: EventType
    at: str
    stream: str
    session: str | None
    user: str | None
    tenant: str | None
    model: str
    requested_model: str | None
    node: str
    # What follows is known at the end.
    status: str | None = None
    finish_reason: str | None = None
    error: str | None = None
    retryable: bool | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    tokens_estimated: bool | None = None
    duration_ms: float | None = None
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    cached: str | None = None

    def wire(self) -> dict[str, Any]:
        """As webhooks carry it."""
        return asdict(self)
