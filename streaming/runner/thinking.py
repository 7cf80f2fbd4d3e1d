"""How long a model thought, step by step: from the first piece of a thought to the first of something else."""

from __future__ import annotations


class ThinkingClock:
    """Is shown a stream's entries in order, each with its moment in seconds. Waits between asks do not count."""

    def __init__(self) -> None:
        self._steps: list[float] = []
        self._step: int | None = None
        self._at = 0.0

    @property
    def ms(self) -> list[float]:
        """Milliseconds of each step so far."""
        return [round(seconds * 1000, 1) for seconds in self._steps]

    def see(self, type: str, step: int, at: float) -> None:
        if type == "reset":
            self._steps.clear()
            self._step = None
            return
        if self._step is not None:
            self._steps[self._step] += max(0.0, at - self._at)
        self._step, self._at = (step, at) if type == "thought" else (None, at)
        if type == "thought":
            self._steps += [0.0] * (step + 1 - len(self._steps))

    def pause(self) -> None:
        """What comes next was written by another worker, or after another ask, by another clock."""
        self._step = None
