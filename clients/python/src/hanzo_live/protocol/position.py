"""Where a reader stands in a log, and what to do with the next frame: "Order, gaps, merging" of the protocol.

Pure: knows no socket. What the events mean is `fold.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Verdict: TypeAlias = Literal["apply", "drop", "gap"]
"""`apply` it, `drop` it (had already, or of an older subscription), or there is a `gap`: subscribe again."""


def accumulates(event: Mapping[str, Any]) -> bool:
    """Whether the event's content is added to what is there, so that half of a merged one cannot be applied."""
    kind = event["type"]
    return kind in {"token", "thought"} or (kind == "tool_call" and event.get("args_delta") is not None)


class Position:
    """The position of one reader in one log.

    After a `gap`: send `subscribe` with `resubscribe()`, then give `subscribed` its `ok`. What was on the way in
    between is dropped; the server sends it again.
    """

    __slots__ = ("_waiting", "epoch", "seq")

    def __init__(self, epoch: str | None = None, seq: int | None = None) -> None:
        known = epoch is not None and seq is not None
        self.epoch = epoch if known else None
        self.seq = seq if known else None
        self._waiting: Literal["ok", "snapshot"] | None = None if known else "ok"

    def apply(self, event: Mapping[str, Any]) -> Verdict:
        """What to do with `event`. The position has moved if the answer is `apply`; on `gap` it has not."""
        if event["type"] == "unsubscribed":
            return "apply"
        if self._waiting == "ok":
            return "drop"
        if event["type"] == "snapshot":
            self.epoch, self.seq, self._waiting = event["epoch"], event["seq"], None
            return "apply"
        seq: int | None = event.get("seq")
        if seq is None:
            return "apply"
        if self.seq is None or self._waiting == "snapshot" or seq <= self.seq:
            return "drop"
        given = event.get("prev")
        prev: int = seq - 1 if given is None else given
        if prev > self.seq or (prev < self.seq and accumulates(event)):
            return "gap"
        self.seq = seq
        return "apply"

    def resubscribe(self) -> dict[str, Any]:
        """The `epoch` and `seq` for the next `subscribe`, none if there is no position yet. Frames drop until its `ok`."""
        self._waiting = "ok"
        return {} if self.seq is None else {"epoch": self.epoch, "seq": self.seq}

    def subscribed(self, ok: Mapping[str, Any]) -> None:
        """The `ok` of `subscribe`, or that of `stream.start` (which has no `mode`: live, from its `seq`)."""
        mode = ok.get("mode", "live")
        self._waiting = "snapshot" if mode == "snapshot" else None
        if mode == "live":
            self.epoch, self.seq = ok["epoch"], ok["seq"]
