"""What is known of one tool, and what came of one call. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any

import orjson

MAX_ERROR = 2_000
# Characters of what a running tool says; the protocol's bound.
MAX_TOLD = 200


class ToolKind(StrEnum):
    """Who runs it."""

    SERVER = "server"
    MCP = "mcp"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Told:
    """How far a running tool says it is: in whatever it counts, of `total` where it says so, and in its own words."""

    progress: float
    total: float | None = None
    message: str | None = None

    @classmethod
    def of(cls, progress: float, total: float | None, message: str | None) -> Told:
        """As it can be shown, of whatever a tool tells: a line that is not long, and numbers that are some."""
        line = " ".join("".join(c if c.isprintable() else " " for c in (message or "")[: 4 * MAX_TOLD]).split())
        return cls(
            progress=progress if isfinite(progress) and progress > 0 else 0.0,
            total=total if total is not None and isfinite(total) and total > 0 else None,
            message=(line if len(line) <= MAX_TOLD else line[: MAX_TOLD - 1] + "…") or None,
        )


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool is called. A parameter that is annotated with it is filled in, and the model does not see it."""

    stream: str
    session: str | None
    user: str | None
    tell: Callable[[Told], None] = field(default=lambda told: None, repr=False, compare=False)

    def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell everybody who watches how far the tool is: in whatever it counts, of `total`, and in words of its own.

        From any thread, as often as one likes. It also counts as a sign of life: the time limit begins anew.
        """
        self.tell(Told.of(done, total, message))


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """One tool as a model is offered it, and how it is to be called.

    `source` is the MCP server's name and `original` the tool's name there. `repeatable`: called twice it does no more
    than called once, so that a call whose worker was lost is made again.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    kind: ToolKind
    source: str = ""
    original: str = ""
    ask_first: bool = False
    repeatable: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    def openai(self) -> dict[str, Any]:
        """In OpenAI's shape."""
        function = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": {**function, **self.extra}}


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool gave: `result`, any JSON, or where it failed `error`, in words for the model and for people."""

    result: Any = None
    error: str | None = None

    @classmethod
    def failed(cls, words: str) -> ToolOutcome:
        return cls(error=words if len(words) <= MAX_ERROR else words[: MAX_ERROR - 1] + "…")


def told(result: Any, error: str | None) -> str:
    """What the model reads of an outcome."""
    if error is not None:
        return f"Error: {error}"
    return result if isinstance(result, str) else orjson.dumps(result).decode()
