"""The normal form: what every inference node's answer becomes, whatever dialect it speaks.

An answer is any number of `Text`, `Thought` and `ToolCallDelta`, then exactly one `Usage`, then exactly one `Finish`.
Nothing here knows of HTTP, of JSON or of an engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, as it came (usually one token)."""

    data: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the model's reasoning. `step` counts the blocks: 0 before the answer, 1 after the first text or call…"""

    data: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call. `index` numbers the calls of this answer from 0; `id` and `name` are as known so far.

    `args_delta` appended over all pieces of one `index` is the JSON text of the arguments.
    """

    index: int
    id: str
    name: str
    args_delta: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written. `estimated` when the node told nothing and it was counted from the text."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is whole. A cut answer has no `Finish`: it raises."""

    reason: FinishReason


NodeEvent = Text | Thought | ToolCallDelta | Usage | Finish
