"""The log as OpenAI's chat completions, streaming and whole: so that the `openai` package works unmodified."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from hanzo_live.protocol.errors import ERROR_KINDS, ErrorCode, LiveError

DONE = b"data: [DONE]\n\n"
# Our finish reasons that OpenAI does not have.
FINISH_REASONS = {"stopped": "stop"}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


@dataclass(slots=True)
class Completion:
    """One answer while it is being read: what every chunk repeats, and what a whole answer collects."""

    stream: str
    created: int
    model: str
    shows_calls: bool = True
    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    cached: str | None = None
    begun: bool = False

    def deltas(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """What `event` adds, as OpenAI's deltas. Raises LiveError for the stream's failure."""
        match event["type"]:
            case "stream_start":
                self.model, self.cached = event["model"], event.get("cached")
            case "token":
                self.text.append(event["data"])
                return [{"content": event["data"]}]
            case "thought":
                self.thoughts.append(event["data"])
                return [{"reasoning_content": event["data"]}]
            case "tool_call" if self.shows_calls:
                return self._tool_call(event)
            case "complete":
                self.finish_reason = FINISH_REASONS.get(event["finish_reason"], event["finish_reason"])
                self.usage = {
                    name: event["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")
                }
            case "error":
                raise LiveError(ErrorCode(event["code"]), event["message"], retryable=event["retryable"])
            case "reset" if self.begun and (self.text or self.thoughts or self.calls):
                # What was sent cannot be taken back here.
                raise LiveError(
                    ErrorCode.STREAM_INTERRUPTED, "The answer was cut off and cannot be continued. Ask again."
                )
            case "reset":
                self.text.clear()
                self.thoughts.clear()
                self.calls.clear()
        return []

    def _tool_call(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        call = self.calls.get(event["call"])
        deltas = []
        if call is None:
            call = self.calls[event["call"]] = {
                "id": event["call"], "type": "function", "function": {"name": event["tool"], "arguments": ""},
            }  # fmt: skip
            deltas.append(
                self._call_delta(
                    call, id=call["id"], type="function", function={"name": event["tool"], "arguments": ""}
                )
            )
        more = event.get("args_delta") or ""
        if event.get("args") is not None and not call["function"]["arguments"]:
            more = orjson.dumps(event["args"]).decode()
        if more:
            call["function"]["arguments"] += more
            deltas.append(self._call_delta(call, function={"arguments": more}))
        return deltas

    def _call_delta(self, call: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": list(self.calls.values()).index(call), **fields}]}

    def whole(self) -> dict[str, Any]:
        """The `chat.completion` object."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": "".join(self.text) or (None if self.calls else ""),
            "refusal": None,
        }
        if self.thoughts:
            message["reasoning_content"] = "".join(self.thoughts)
        if self.calls:
            message["tool_calls"] = list(self.calls.values())
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason, "logprobs": None}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        self.begun = True
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return _data({**self._head("chat.completion.chunk"), "choices": [choice]})

    def usage_chunk(self) -> bytes:
        return _data({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage})

    def _head(self, kind: str) -> dict[str, Any]:
        head = {"id": f"chatcmpl-{self.stream}", "object": kind, "created": self.created, "model": self.model}
        # A field that OpenAI does not have: only there where somebody asked for it.
        return {**head, "cached": self.cached} if self.cached else head


async def chunks(
    completion: Completion, events: AsyncIterator[dict[str, Any] | None], *, include_usage: bool
) -> AsyncIterator[bytes]:
    """The streaming body. A failure in the middle is an `error` frame, as OpenAI's own, and no `[DONE]`."""
    yield completion.chunk({"role": "assistant", "content": ""})
    try:
        async for event in events:
            if event is None:
                yield b": keep-alive\n\n"
                continue
            for delta in completion.deltas(event):
                yield completion.chunk(delta)
            if completion.finish_reason is not None:
                break
    except LiveError as error:
        yield _data(error_body(error))
        return
    yield completion.chunk({}, completion.finish_reason)
    if include_usage:
        yield completion.usage_chunk()
    yield DONE


def error_body(error: LiveError) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    kind = ERROR_TYPES.get(ERROR_KINDS[error.code].http_status, "server_error")
    code = "context_length_exceeded" if error.code is ErrorCode.CONTEXT_LENGTH else error.code.value
    return {"error": {"message": error.message, "type": kind, "param": error.field, "code": code}}


def _data(body: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"
