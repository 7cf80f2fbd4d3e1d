"""The parts of a reply: what it holds besides its text, in the form that `Message.parts` has everywhere.

The worker that saves a reply and the fold that shows it both make them here, so that they are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from hanzo_live.protocol.base import JsonObject


def reply_parts(
    thoughts: Iterable[str],
    tool_calls: Iterable[Mapping[str, Any]],
    error: Mapping[str, Any] | None = None,
    *,
    thoughts_ms: Sequence[float] = (),
) -> list[JsonObject]:
    """A `reasoning` part for each thought (with `duration_ms` where that is known), for each tool call (a ToolCallState) a `toolCall` and its `toolResult`, and
    last, where the reply failed, an `error` with its `code`, `message` and `retryable`.
    """
    parts: list[JsonObject] = []
    for text, duration in zip_longest(thoughts, thoughts_ms):
        if text:
            parts.append({"type": "reasoning", "text": text, **({} if duration is None else {"duration_ms": duration})})
    for call in tool_calls:
        parts.append({"type": "toolCall", "id": call["call"], "name": call["tool"], "args": call["args"]})
        if call["status"] in {"complete", "failed", "denied"}:
            parts.append(
                {
                    "type": "toolResult",
                    "id": call["call"],
                    "name": call["tool"],
                    "status": call["status"],
                    "result": call["result"],
                    "error": call["error"],
                }
            )
    if error is not None:
        parts.append({"type": "error", **{name: error[name] for name in ("code", "message", "retryable")}})
    return parts
