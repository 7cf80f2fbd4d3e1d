"""The events of one answer from its start, for whoever reads them and whenever, and how far behind its readers are.

Not what the events amount to, which is `answer.py`'s.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable

from hanzo_live.protocol.base import JsonObject

# Events that are kept one by one; beyond that, neighbours that add to the same text are merged, as on the wire.
KEPT_APART = 1000

# So much that nobody has read holds the server back, until there is less than the lower one. In characters, about.
TOO_MUCH = 64 * 1024
LITTLE = 16 * 1024

# What an event takes besides its text.
_OVERHEAD = 64


def weight(event: JsonObject) -> int:
    """About how much it takes to keep an event, in characters."""
    return _OVERHEAD + len(_text(event))


class Mark:
    """Where one reader is: `next` is the event that it has not had yet. One without events to read is never behind."""

    def __init__(self, next: int | None = 0) -> None:
        self.next = next


class Kept:
    """`hold` is called with True where all who read are far behind, and with False where one of them has caught up.

    Where nobody reads, nothing is held back. Marks are known for as long as somebody has them.
    """

    def __init__(self, hold: Callable[[bool], None] = lambda held: None) -> None:
        self.events: list[JsonObject] = []
        self.hold = hold
        self._ends: list[int] = []
        self._marks: weakref.WeakSet[Mark] = weakref.WeakSet()
        self._held = False

    def push(self, events: Iterable[JsonObject]) -> None:
        for event in events:
            both = self._merged(event) if len(self.events) >= KEPT_APART else None
            if both is None:
                self.events.append(event)
                self._ends.append(self._end + weight(event))
            else:
                self.events[-1] = both
                self._ends[-1] += len(_text(event))
        self.balance()

    def add(self, mark: Mark) -> None:
        self._marks.add(mark)
        self.balance()

    def remove(self, mark: Mark) -> None:
        self._marks.discard(mark)
        self.balance()

    def balance(self) -> None:
        """To be called where a mark has moved, or is gone."""
        marks = list(self._marks)
        behind = min((self._unread(mark) for mark in marks), default=0)
        held = behind > (LITTLE if self._held else TOO_MUCH)
        if held != self._held:
            self._held = held
            self.hold(held)

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _unread(self, mark: Mark) -> int:
        if mark.next is None:
            return 0
        return self._end - (self._ends[mark.next - 1] if mark.next else 0)

    def _merged(self, event: JsonObject) -> JsonObject | None:
        """The last event with this one added; None where they are not of one text, or somebody has read the last."""
        if any(mark.next == len(self.events) for mark in self._marks):
            return None
        return merged(self.events[-1], event)


def merged(first: JsonObject, second: JsonObject) -> JsonObject | None:
    """Both as one event, as the server merges them; None where they are not of one text."""
    kind = first["type"]
    if kind != second["type"] or first.get("stream") != second.get("stream"):
        return None
    one = {**second, "prev": first["prev"] if first.get("prev") is not None else first["seq"] - 1}
    if kind == "token" or (kind == "thought" and first["step"] == second["step"]):
        return {**one, "data": first["data"] + second["data"], "n": first["n"] + second["n"]}
    if kind != "tool_call" or first["call"] != second["call"]:
        return None
    if first.get("args_delta") is None or second.get("args_delta") is None:
        return None
    return {**one, "args_delta": first["args_delta"] + second["args_delta"]}


def _text(event: JsonObject) -> str:
    kind = event["type"]
    if kind in {"token", "thought"}:
        return str(event["data"])
    return str(event.get("args_delta") or "") if kind == "tool_call" else ""
