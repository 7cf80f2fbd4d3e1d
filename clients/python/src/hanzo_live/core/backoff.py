"""How long to wait before the next attempt to connect. Pure: randomness is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

CEILING_S = 30.0


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Whether and how a lost connection comes back by itself. `max_attempts` are those in a row."""

    enabled: bool = True
    max_attempts: int = 5
    delay_ms: int = 1000
    exponential_backoff: bool = True

    def delay(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before attempt number `attempt` (from 1): anywhere between nothing and the ceiling ("full jitter"),
        so that the clients of a restarted server do not all come back at once.
        """
        first = self.delay_ms / 1000
        # 2 to the 60th is beyond any ceiling, and a float.
        growth = 2.0 ** min(attempt - 1, 60) if self.exponential_backoff else 1.0
        return random() * min(first * growth, max(CEILING_S, first))
