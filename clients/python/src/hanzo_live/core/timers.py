"""Times at which something is due, by name. The clock is handed in; nobody waits here."""

from __future__ import annotations

from collections.abc import Callable


class Timers:
    """Each name has at most one time; setting it again moves it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due: dict[str, tuple[float, Callable[[], None]]] = {}

    def set(self, name: str, seconds: float, call: Callable[[], None]) -> None:
        self._due[name] = (self._clock() + seconds, call)

    def unset(self, name: str) -> None:
        self._due.pop(name, None)

    @property
    def next(self) -> float | None:
        """When `run` has something to do, by the clock; None if never."""
        return min((at for at, _ in self._due.values()), default=None)

    def run(self) -> None:
        """Call what is due, in order of its times."""
        now = self._clock()
        for name, (at, call) in sorted(self._due.items(), key=lambda each: each[1][0]):
            # What was due may have been moved or unset by what ran before it.
            if at <= now and self._due.get(name) == (at, call):
                del self._due[name]
                call()
