"""When things happen: not more often than, and not later than. Clocks are handed in; an event loop is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

K = TypeVar("K")


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """The part of an event loop that is about time."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> Timer: ...


class Pace:
    """Does `work` once for all that want it within `interval_s`, the first time at the loop's next turn."""

    __slots__ = ("_clock", "_next", "_timer", "_work", "interval_s")

    def __init__(self, clock: Clock, interval_s: float, work: Callable[[], None]) -> None:
        self._clock = clock
        self.interval_s = interval_s
        self._work = work
        self._next = float("-inf")
        self._timer: Timer | None = None

    def want(self) -> None:
        if self._timer is None:
            self._timer = self._clock.call_later(max(0.0, self._next - self._clock.time()), self._go)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        self._timer = None
        if self._clock.time() < self._next:  # uvloop rounds to milliseconds, down as well
            self.want()
            return
        self._next = self._clock.time() + self.interval_s
        self._work()


class Expiry(Generic[K]):
    """Things that end `after_s` after they were last touched. Costs what is due, not what is there."""

    def __init__(self, clock: Clock, after_s: float) -> None:
        self._clock = clock
        self._after_s = after_s
        self._due: dict[K, float] = {}  # in the order of their times, for all wait equally long

    def touch(self, key: K) -> None:
        self._due.pop(key, None)
        self._due[key] = self._clock.time() + self._after_s

    def forget(self, key: K) -> None:
        self._due.pop(key, None)

    def take(self) -> list[K]:
        """Those whose time has come; they are forgotten."""
        now = self._clock.time()
        due = []
        for key, at in self._due.items():
            if at > now:
                break
            due.append(key)
        for key in due:
            del self._due[key]
        return due
