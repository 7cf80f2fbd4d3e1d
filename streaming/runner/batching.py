"""What a node says, cut into log entries: the first piece at once, then every 25 ms or 16 tokens, whichever comes first.

Where a node is faster than the log, what waits is cut into larger entries, the more the larger: each costs Redis and
every web process the same, and the other streams come behind it.

Pure: it is told the time and does no I/O. It is also the queue between the node's reader, which only adds, and the
writer, which takes; how much waits in it is `waiting`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streaming.log.script import Entry
from streaming.node import Text, Thought, ToolCallDelta

INTERVAL_S = 0.025
MAX_TOKENS = 16
# Characters of an entry of more tokens than that.
MAX_GROWN = 16 * 1024

Piece = Text | Thought | ToolCallDelta


@dataclass(slots=True)
class _Run:
    """Neighbours of one kind, on their way to be one entry. `of` is the thought's step or the call's id."""

    type: str
    of: int | str
    tool: str = "unnamed"
    data: list[str] = field(default_factory=list)
    size: int = 0

    def is_full(self, before: int) -> bool:
        """Whether no more belongs in it; `before` entries go to the log before it."""
        tokens = len(self.data)
        return tokens >= MAX_TOKENS and (tokens >= MAX_TOKENS * (before + 1) or self.size >= MAX_GROWN)

    def entry(self, stream: str) -> Entry:
        data = self.data[0] if len(self.data) == 1 else "".join(self.data)
        if self.type == "token":
            return Entry("token", stream, data, len(self.data))
        if self.type == "thought":
            return Entry("thought", stream, data, len(self.data), int(self.of))
        body: dict[str, Any] = {"call": self.of, "tool": self.tool, "args_delta": data, "status": "streaming"}
        return Entry("tool_call", stream, n=len(self.data), body=body)


class Batcher:
    """The pieces of one answer that are not on the log yet, in order."""

    __slots__ = ("_last", "_runs", "_stream", "_tokens", "waiting")

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._runs: list[_Run] = []
        self._tokens = 0
        self._last: float | None = None
        self.waiting = 0
        """Characters that wait."""

    def add(self, piece: Piece) -> None:
        """Put a piece behind what waits; it joins its neighbour where both are of one kind."""
        if isinstance(piece, Text):
            run = self._run("token", 0)
            data = piece.data
        elif isinstance(piece, Thought):
            run = self._run("thought", piece.step)
            data = piece.data
        else:
            run = self._run("tool_call", piece.id)
            run.tool = piece.name or run.tool
            data = piece.args_delta
        run.data.append(data)
        run.size += len(data)
        self._tokens += 1
        self.waiting += len(data)

    def due(self, now: float) -> float | None:
        """Seconds until what waits should be taken; 0 for now, None while nothing waits."""
        if not self._runs:
            return None
        if self._last is None or self._tokens >= MAX_TOKENS:
            return 0.0
        return max(0.0, self._last + INTERVAL_S - now)

    def take(self, now: float) -> list[Entry]:
        """Everything that waits: the first entry of at most 16 tokens, the next of at most 32, and so on."""
        if not self._runs:
            return []
        entries = [run.entry(self._stream) for run in self._runs]
        self._runs.clear()
        self._tokens = self.waiting = 0
        self._last = now
        return entries

    def _run(self, type: str, of: int | str) -> _Run:
        last = self._runs[-1] if self._runs else None
        if last is None or last.type != type or last.of != of or last.is_full(len(self._runs) - 1):
            last = _Run(type, of)
            self._runs.append(last)
        return last
