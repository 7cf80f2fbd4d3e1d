"""An answer as it is kept, and what was found of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson

from streaming.endings import Outcome, UsageCount

VERSION = 1
# The only ending that says that the model had said all: a limit or a filter cuts.
WHOLE = "stop"


class Unreadable(ValueError):
    """Kept by another version of this program, or not by us."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """A whole answer: its text and thoughts, how long each took, what wrote it and what that used. `node` is `local` or `cloud`."""

    content: str
    thoughts: tuple[str, ...]
    thoughts_ms: tuple[float, ...]
    usage: UsageCount
    model: str
    node: str

    def to_bytes(self) -> bytes:
        return orjson.dumps(
            {
                "v": VERSION,
                "content": self.content,
                "thoughts": self.thoughts,
                "thoughts_ms": self.thoughts_ms,
                "usage": self.usage,
                "model": self.model,
                "node": self.node,
            }
        )

    @classmethod
    def from_bytes(cls, raw: bytes) -> CachedAnswer:
        """Raises Unreadable."""
        try:
            kept: dict[str, Any] = orjson.loads(raw)
            if kept["v"] != VERSION:
                raise Unreadable(f"version {kept['v']}")
            thoughts, took = tuple(kept["thoughts"]), tuple(kept["thoughts_ms"])
            return cls(kept["content"], thoughts, took, kept["usage"], kept["model"], kept["node"])
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise Unreadable(str(error)) from error


@dataclass(frozen=True, slots=True)
class Found:
    """An answer from the cache. `similarity` of the questions is None where they are the same."""

    answer: CachedAnswer
    how: Literal["exact", "semantic"]
    similarity: float | None = None


def keepable(outcome: Outcome, *, model: str, node: str) -> CachedAnswer | None:
    """What may be kept of a stream's end; None for anything but a whole answer of the model alone.

    Not what was cut, stopped or failed, and nothing that a tool had a part in: tools look at the world, which changes.
    """
    if outcome.error is not None or outcome.finish_reason != WHOLE or not outcome.content:
        return None
    if any(part["type"] != "reasoning" for part in outcome.parts):
        return None
    thoughts = tuple(str(part["text"]) for part in outcome.parts)
    took = tuple(float(part["duration_ms"]) for part in outcome.parts if "duration_ms" in part)
    return CachedAnswer(outcome.content, thoughts, took, outcome.usage, model, node)
