"""How far a stream is, for whoever watches: counted, never guessed."""

from __future__ import annotations

from typing import Any

from streaming.runner.answer import Answer


class Progress:
    """The `progress` events of one stream. `total` is the most it may write, where that was asked for."""

    INTERVAL_S = 0.5

    def __init__(self, stream: str, total: int | None) -> None:
        self._stream = stream
        self._total = total

    def body(self, answer: Answer, now: float, first_at: float | None) -> dict[str, Any]:
        """The fields of the event. `first_at` is when the first token came; None while the node is waited for."""
        speed = None
        if first_at is not None and answer.tokens > 1 and now > first_at:
            speed = round((answer.tokens - 1) / (now - first_at), 1)
        return {
            "stream": self._stream,
            "tokens": answer.tokens,
            "total": self._total,
            # An answer mostly ends before its limit: a share of the limit would be a promise.
            "percent": None,
            "eta_s": None,
            "tokens_per_second": speed,
            "phase": "waiting" if first_at is None else answer.phase,
            "queue_position": None,
        }
