"""A circuit breaker: after failures in a row a node is left alone for a while, then tried with one stream.

Advice only: who has no other node asks this one all the same (`choosing`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 3
FIRST_S = 5.0
LONGEST_S = 60.0


class Breaker:
    """Of one node in one worker process. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._shut_until = float("-inf")
        self._trial_since: float | None = None

    @property
    def allows(self) -> bool:
        """Whether the node may be asked: it does well, or it is time to try it again and nobody does."""
        if self._clock() < self._shut_until:
            return False
        return self._failures < FAILURES or self._trial_since is None or self._trial_is_lost()

    def begin(self) -> None:
        """A stream asks the node."""
        if self._failures >= FAILURES and self.allows:
            self._trial_since = self._clock()

    def succeeded(self) -> None:
        self._failures, self._trial_since, self._shut_until = 0, None, float("-inf")

    def failed(self) -> None:
        self._failures += 1
        self._trial_since = None
        if self._failures >= FAILURES:
            self._shut_until = self._clock() + min(LONGEST_S, FIRST_S * 2 ** min(self._failures - FAILURES, 10))

    def refused(self, seconds: float) -> None:
        """The node said for how long it wants to be left alone."""
        self._trial_since = None
        self._shut_until = max(self._shut_until, self._clock() + min(seconds, LONGEST_S))

    def abandoned(self) -> None:
        """The stream ended for a reason that says nothing of the node."""
        self._trial_since = None

    def _trial_is_lost(self) -> bool:
        assert self._trial_since is not None
        return self._clock() - self._trial_since > LONGEST_S
