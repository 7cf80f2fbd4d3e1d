"""How fast one worker's streams write, all of them together: counted as entries reach the log, told once a heartbeat."""

from __future__ import annotations

import time
from collections.abc import Callable


class Meter:
    """`clock` in seconds. Used from the worker's loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._tokens = 0

    def add(self, tokens: int) -> None:
        self._tokens += tokens

    def take(self) -> float:
        """Tokens a second since this was last asked; counting begins anew."""
        now = self._clock()
        seconds, tokens = now - self._since, self._tokens
        self._since, self._tokens = now, 0
        return tokens / seconds if seconds > 0 else 0.0
