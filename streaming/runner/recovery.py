"""When a node that failed a stream is asked again, and when that is given up. Pure: it is told the time.

How the answer goes on then (after the text so far, or from its beginning) is `run`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanzo_live.protocol.errors import ErrorCode, LiveError

# Before the first retry, the second, …: a node that restarts needs seconds, one that cut a connection none.
DELAYS_S = (0.5, 2.5, 5.0)
TRANSIENT = frozenset(
    {ErrorCode.NODE_UNAVAILABLE, ErrorCode.NODE_ERROR, ErrorCode.NODE_TIMEOUT, ErrorCode.STREAM_INTERRUPTED}
)

# What another node may do better, even where this one will not.
OF_THE_NODE = TRANSIENT | {ErrorCode.RATE_LIMITED}


@dataclass(frozen=True, slots=True)
class Budget:
    """How often one stream's node is asked again, and for how many seconds after it failed."""

    retries: int
    seconds: float


class Recovery:
    """One stream's use of its budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._used = 0
        self._since: float | None = None

    def wait(
        self, error: LiveError, now: float, *, said: bool, insist: bool = False, elsewhere: bool = False
    ) -> float | None:
        """Seconds to wait before asking again; None to give up. Each call that does not give up is one retry.

        `said`: the node had said something since it was asked, so the seconds count anew. `insist` is for a refusal of
        the way of asking, after which another way is tried. `elsewhere`: a node is asked that has not failed.
        """
        if said or self._since is None:
            self._since = now
        may_help = insist or (error.code in OF_THE_NODE if elsewhere else _may_pass(error, said=said))
        if self._used >= self._budget.retries or not may_help:
            return None
        wait = 0.0 if elsewhere else max(DELAYS_S[min(self._used, len(DELAYS_S) - 1)], error.retry_after or 0.0)
        if now + wait > self._since + self._budget.seconds:
            return None
        self._used += 1
        return wait


def _may_pass(error: LiveError, *, said: bool) -> bool:
    if error.code == ErrorCode.RATE_LIMITED:
        return error.retry_after is not None
    if error.code == ErrorCode.NODE_TIMEOUT and not said:
        return False  # it has had minutes to begin: an overloaded node is not helped by another request
    return error.retryable and error.code in TRANSIENT
