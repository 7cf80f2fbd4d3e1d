"""What a stream's asks used, all together, and how fast they were: the numbers of its terminal event."""

from __future__ import annotations

from dataclasses import dataclass

from streaming.endings import Timings, UsageCount
from streaming.node import Usage
from streaming.runner.ask import Ask

# In less time than this a speed says more about the clock than about the model.
MEASURABLE_S = 0.1


@dataclass(frozen=True, slots=True)
class _Try:
    """An ask that went on after `continued` tokens, which others had written."""

    ask: Ask
    continued: int


class Tally:
    """Times are the loop's. `began` is when the stream did, whoever carried it then.

    Of the asks of one round that one counts whose words stand: the newest that said something. `written` is always how
    many tokens there are of this round, as we counted.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self._over: list[_Try] = []
        self._tries: list[_Try] = []
        self._before: UsageCount | None = None
        self._first_ms: float | None = None
        self._earlier = 0  # tokens of rounds that are over, which no ask of ours wrote
        self._accounted = 0  # tokens of this round that are in `_before`

    def go_on(self, usage: UsageCount | None, timings: Timings | None) -> None:
        """Count on from what an earlier owner kept, when the stream began to wait for somebody."""
        self._before = usage
        self._first_ms = timings["first_token_ms"] if timings else None

    def found(self, over: int, written: int) -> None:
        """Tokens that earlier owners wrote: of rounds that are over, and of this one."""
        if self._before is None:
            self._earlier = over
        else:
            self._accounted = written

    def add(self, ask: Ask, continued: int = 0) -> None:
        self._tries.append(_Try(ask, max(0, continued - self._accounted)))

    def next_round(self, written: int) -> None:
        """What was said so far stands; the next ask begins a round of its own."""
        ours = self._ours(written)
        counted = self._counted()
        if counted:
            self._over.append(_Try(counted[0].ask, ours))
        else:
            self._earlier += ours
        self._tries.clear()
        self._accounted = 0

    @property
    def first_at(self) -> float | None:
        """When the first token came, be it one that was taken back."""
        asks = (each.ask for each in (*self._over, *self._tries))
        return next((ask.first_at for ask in asks if ask.first_at is not None), None)

    @property
    def first_of_the_node_ms(self) -> float | None:
        """How long the node that said the first token took for it."""
        asks = (each.ask for each in (*self._over, *self._tries))
        spoke = next((ask for ask in asks if ask.first_at is not None), None)
        return None if spoke is None or spoke.first_at is None else (spoke.first_at - spoke.asked_at) * 1000

    @property
    def continued(self) -> bool:
        """Whether an ask that counts went on after what another had written: such an answer is of two pieces."""
        return any(each.continued for each in (*self._over, *self._counted()))

    def usage(self, written: int) -> UsageCount:
        """What the nodes counted; where they have not said a word, what is written, as we counted."""
        told = self._told()
        if self._before is not None:
            told.append(Usage(**self._before))
        ours = self._earlier + sum(each.continued for each in self._over) + self._ours(written)
        return UsageCount(
            prompt_tokens=sum(usage.prompt_tokens for usage in told),
            completion_tokens=sum(usage.completion_tokens for usage in told) + ours,
            total_tokens=sum(usage.total_tokens for usage in told) + ours,
            estimated=not told or ours > 0 or any(usage.estimated for usage in told),
        )

    def timings(self, now: float) -> Timings:
        """The speed is that of the time in which the nodes wrote: between asks, tools and people take theirs."""
        first = self.first_at
        first_ms = None if first is None else round(max(0.0, first - self.began) * 1000, 1)
        wrote = sum(usage.completion_tokens for usage in self._told())
        writing = sum(
            (each.ask.over_at or now) - each.ask.first_at
            for each in (*self._over, *self._counted())
            if each.ask.first_at is not None
        )
        return Timings(
            duration_ms=round((now - self.began) * 1000, 1),
            first_token_ms=first_ms if self._first_ms is None else self._first_ms,
            tokens_per_second=round((wrote - 1) / writing, 1) if wrote > 1 and writing >= MEASURABLE_S else None,
            thoughts_ms=[],
        )

    def _told(self) -> list[Usage]:
        return [each.ask.usage for each in (*self._over, *self._counted()) if each.ask.usage is not None]

    def _counted(self) -> list[_Try]:
        """This round's ask that counts, if there was one."""
        spoke = [each for each in self._tries if each.ask.first_at is not None]
        return (spoke or self._tries)[-1:]

    def _ours(self, written: int) -> int:
        """Tokens of this round that no ask that counts wrote."""
        counted = self._counted()
        if counted and counted[0].ask.first_at is not None:
            return counted[0].continued
        return max(0, written - self._accounted)
