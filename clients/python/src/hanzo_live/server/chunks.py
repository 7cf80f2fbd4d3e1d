"""From what a handler yields to the chunks of an OpenAI-compatible node. Pure."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from hanzo_live.protocol.base import JsonObject

Yielded: TypeAlias = "str | Mapping[str, Any]"
"""Text, or `{"type": "token" | "thought" | "tool_call" | "complete" | "error", …}` with the fields of that event."""

FORMS = "text, or an object with type token, thought, tool_call, complete or error"


class HandlerFailed(Exception):
    """The handler said that it failed, or what it yielded has no meaning; the message is for people."""


class Chunks:
    """The chunks of one answer."""

    def __init__(self, model: str) -> None:
        self._head = {"id": f"chatcmpl-{secrets.token_hex(8)}", "object": "chat.completion.chunk", "model": model}
        self._calls = 0
        self.ended = False

    def of(self, item: object) -> Iterator[JsonObject]:
        """The chunks for one item, often one. Raises HandlerFailed."""
        if self.ended:
            return
        if isinstance(item, str):
            yield self._chunk({"content": item})
            return
        if not isinstance(item, Mapping):
            raise HandlerFailed(f"A stream handler yields {FORMS}; this one yielded something else.")
        kind = item.get("type")
        try:
            if kind == "token":
                yield self._chunk({"content": str(item["data"])})
            elif kind == "thought":
                yield self._chunk({"reasoning_content": str(item["data"])})
            elif kind == "tool_call":
                yield self._chunk({"tool_calls": [self._call(item)]})
            elif kind == "tool_call_delta":
                self._calls += 1
                yield self._chunk({"tool_calls": item["data"]})
            elif kind == "complete":
                yield from self.end(item.get("finish_reason"))
            elif kind == "error":
                raise HandlerFailed(str(item.get("message") or "The stream handler failed."))
            else:
                raise HandlerFailed(f"A stream handler yields {FORMS}; this one yielded another type.")
        except KeyError as missing:
            raise HandlerFailed(f"What a stream handler yielded has no {missing}.") from None

    def end(self, finish_reason: str | None = None) -> Iterator[JsonObject]:
        """The last chunk, unless it was there already."""
        if not self.ended:
            self.ended = True
            yield self._chunk({}, finish_reason or ("tool_calls" if self._calls else "stop"))

    def _call(self, item: Mapping[str, Any]) -> JsonObject:
        index, self._calls = self._calls, self._calls + 1
        function = {"name": str(item["tool"]), "arguments": json.dumps(item.get("args") or {})}
        return {
            "index": index,
            "id": str(item.get("call") or f"call_{index}"),
            "type": "function",
            "function": function,
        }

    def _chunk(self, delta: JsonObject, finish_reason: str | None = None) -> JsonObject:
        return {**self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}
