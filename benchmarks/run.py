"""What the parts share: the plan of a run (quick or full, which targets, until when) and a part's result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from benchmarks.process import TargetUnavailable

Row = TypeVar("Row")


class Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...


Target = TypeVar("Target", bound=Named)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A target without a row, and why."""

    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Result:
    """One part's outcome. Rows are the part's own dataclass as JSON; report.py and the part's table know their fields."""

    part: str
    title: str
    setting: str
    rows: list[dict[str, Any]]
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run is done."""

    quick: bool
    deadline: float  # of the monotonic clock; nothing is begun that would end after it
    only: frozenset[str]  # names of targets; empty: all
    say: Callable[[str], None]

    def each(
        self,
        targets: Sequence[Target],
        cost: float,
        measure: Callable[[Target], Row],
        quick: frozenset[str] | None = None,
    ) -> tuple[list[Row], list[LeftOut]]:
        """`measure(target)` for each wanted target in turn, `cost` seconds each as far as can be told.

        `quick` names the targets of the quick form (None: all); those asked for by name run in any case.
        """
        rows: list[Row] = []
        left_out: list[LeftOut] = []
        for target in targets:
            if self.only and target.name not in self.only:
                continue
            if self.quick and not self.only and quick is not None and target.name not in quick:
                left_out.append(LeftOut(target.title, "not part of the quick form"))
                continue
            if time.monotonic() + cost > self.deadline:
                left_out.append(LeftOut(target.title, "no time left in this run: give it more with --minutes"))
                continue
            self.say(f"  {target.title} …")
            try:
                rows.append(measure(target))
            except TargetUnavailable as error:
                left_out.append(LeftOut(target.title, str(error)))
                self.say(f"    left out: {error}")
        return rows, left_out
