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


def calls_of_parts(parts: Iterable[Mapping[str, Any]], known: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    """The calls (by id, as ToolCallState) that `parts` tell of, over those that are `known`: how they ended, and those
    that are not known yet.
    """
    calls = {id: dict(call) for id, call in known.items()}
    for part in parts:
        if part["type"] == "toolCall":
            call = calls.setdefault(part["id"], new_call(part["id"]))
            call.update(tool=part["name"], args=part["args"], args_text="")
        elif part["type"] == "toolResult":
            call = calls.setdefault(part["id"], new_call(part["id"], part["name"]))
            call.update(status=part["status"], result=part["result"], error=part["error"])
    return calls


def new_call(call: str, tool: str = "") -> JsonObject:
    """A ToolCallState of which nothing is known yet."""
    return {
        "call": call,
        "tool": tool,
        "args": None,
        "args_text": "",
        "status": "running",
        "user": None,
        "result": None,
        "error": None,
        "duration_ms": None,
    }
