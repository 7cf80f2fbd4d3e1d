"""What a stream's asks used, all together, and how fast they were: the numbers of its terminal event."""

from __future__ import annotations

from streaming.endings import Timings, UsageCount
from streaming.node import Usage
from streaming.runner.ask import Ask

# In less time than this a speed says more about the clock than about the model.
MEASURABLE_S = 0.1


class Tally:
    """Times are the loop's. `began` is when the stream did, whoever carried it then."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.continued = 0
        """Tokens written by earlier owners that still count."""
        self._asks: list[Ask] = []
        self._before: UsageCount | None = None
        self._first_ms: float | None = None

    def go_on(self, usage: UsageCount | None, timings: Timings | None) -> None:
        """Count on from what an earlier owner kept, when the stream began to wait for somebody."""
        self._before = usage
        self._first_ms = timings["first_token_ms"] if timings else None

    def add(self, ask: Ask) -> None:
        self._asks.append(ask)

    @property
    def first_at(self) -> float | None:
        """When the first token came."""
        return next((ask.first_at for ask in self._asks if ask.first_at is not None), None)

    def usage(self, written: int) -> UsageCount:
        """What the nodes counted; what was `written` without one, or before a takeover, is our own count."""
        own = max(0, written - self.continued)
        told = [ask.usage for ask in self._asks if ask.usage is not None]
        if self._before is not None:
            told.append(Usage(**self._before))
        told = told or [Usage(0, own, own, True)]
        return UsageCount(
            prompt_tokens=sum(usage.prompt_tokens for usage in told),
            completion_tokens=sum(usage.completion_tokens for usage in told) + self.continued,
            total_tokens=sum(usage.total_tokens for usage in told) + self.continued,
            estimated=any(usage.estimated for usage in told) or self.continued > 0,
        )

    def timings(self, usage: UsageCount, now: float) -> Timings:
        """The speed is that of the time in which the nodes wrote: between asks, tools and people take theirs."""
        first = self.first_at
        wrote = usage["completion_tokens"] - self.continued
        if self._before is not None:
            wrote -= self._before["completion_tokens"]
        first_ms = None if first is None else round(max(0.0, first - self.began) * 1000, 1)
        writing = sum((ask.over_at or now) - ask.first_at for ask in self._asks if ask.first_at is not None)
        return Timings(
            duration_ms=round((now - self.began) * 1000, 1),
            first_token_ms=first_ms if self._first_ms is None else self._first_ms,
            tokens_per_second=round((wrote - 1) / writing, 1) if wrote > 1 and writing >= MEASURABLE_S else None,
            thoughts_ms=[],
        )
