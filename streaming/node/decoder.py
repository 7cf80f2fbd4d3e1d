"""One tolerant decoder: the bytes of any engine's answer in, the normal events out. It does no I/O.

`StreamDecoder.feed` and `.end` return events; a failure is a value (`failure`), so that what came before it in the
same bytes is delivered first. The result depends on the bytes alone, never on how they were cut into reads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hanzo_live.protocol.errors import ErrorCode, LiveError

from .events import Finish, FinishReason, NodeEvent, Text, Thought, Usage
from .refusals import Refusal, error_of
from .sse import EventTooLarge, SSESplitter
from .thinking import ThinkSplitter
from .tool_calls import ToolCallTracker

MAX_PIECE = 16 * 1024  # characters in one Text or Thought; a longer piece is dealt out in several

_REASONS: dict[str, FinishReason] = {
    "content_filter": "content_filter",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
_CUT_REASONS = {"abort", "aborted", "canceled", "cancelled"}

CUT_OFF = "The node's answer was cut off before its end: try again."
EMPTY = "The node ended without an answer; the conversation may be longer than the model can read."


class StreamDecoder:
    """Decodes one answer. `prompt_bytes` is only for estimating usage where the node tells none."""

    def __init__(self, prompt_bytes: int = 0) -> None:
        self.failure: LiveError | None = None
        self.model = ""  # the model that the node says it runs
        self.ended = False  # `[DONE]` came, or a failure: nothing that follows counts
        self.finished = False  # a finish reason came: the answer is whole, only usage may follow
        self._sse = SSESplitter()
        self._think = ThinkSplitter()
        self._calls = ToolCallTracker()
        self._prompt_bytes = prompt_bytes
        self._reason: FinishReason = "stop"
        self._usage: Usage | None = None
        self._pieces = 0
        self._bytes = 0
        self._chunks = 0
        self._step = 0
        self._after_thought = False  # something else was said since the last thought
        self._thought_yet = False

    @property
    def usage(self) -> Usage:
        """Tokens so far, as the node told or else estimated: a cut or stopped answer has usage as well."""
        if self._usage:
            return self._usage
        # One piece is about one token, and four bytes are: the larger is nearer when a node sends several at once.
        written = max(self._pieces, math.ceil(self._bytes / 4))
        read = math.ceil(self._prompt_bytes / 4)
        return Usage(read, written, read + written, estimated=True)

    def feed(self, data: bytes) -> list[NodeEvent]:
        """The events in `data`. After `ended` nothing more comes."""
        events: list[NodeEvent] = []
        try:
            for name, payload in self._sse.feed(data):
                if self.ended:
                    break
                self._payload(name, payload, events)
        except EventTooLarge:
            self._fail(_too_large(), events)
        return events

    def end(self) -> list[NodeEvent]:
        """The node closed: the rest, then `Usage` and `Finish`, or `failure` set where the answer is not whole."""
        events: list[NodeEvent] = []
        if not self.ended:
            for name, payload in self._sse.end():
                # The last event has no blank line after it: it may be cut in the middle.
                if payload.strip() == b"[DONE]" or isinstance(_loads(payload), dict):
                    self._payload(name, payload, events)
        if not self.ended:
            if self.finished:
                self._complete(events)
            else:
                self._fail(LiveError(ErrorCode.STREAM_INTERRUPTED, CUT_OFF if self._chunks else EMPTY), events)
        return events

    def whole(self, content: bytes) -> list[NodeEvent]:
        """A whole answer that was not streamed, as one late batch."""
        events: list[NodeEvent] = []
        body = _loads(content)
        if isinstance(body, dict):
            self._object(body, events)
        else:
            self._fail(error_of(Refusal(content.decode("utf-8", "replace"))), events)
        if not self.ended:
            self._complete(events)
        return events

    def _payload(self, name: str, payload: bytes, events: list[NodeEvent]) -> None:
        if payload.startswith(b"[DONE]"):
            self._complete(events)
            return
        body = _loads(payload)
        if isinstance(body, dict):
            if name and name not in ("message", "error") and "choices" not in body:
                return  # Hanzo's and LiteLLM's own named events (tool progress, pings, files): not the answer's
            if name == "error" and "error" not in body:
                body = {"error": body}
            self._object(body, events)
        elif name and name not in ("message", "error"):
            return
        elif b"\n" in payload:  # several chunks with no blank line between them
            for line in payload.split(b"\n"):
                if not self.ended:
                    self._payload(name, line, events)
        elif payload.strip():
            self._fail(error_of(Refusal(payload.decode("utf-8", "replace"))), events)

    def _object(self, body: dict[str, Any], events: list[NodeEvent]) -> None:
        error = body.get("error")
        if error or body.get("object") == "error" or ("choices" not in body and body.get("detail")):
            self._fail(error_of(Refusal(body)), events)
            return
        self._chunks += 1
        choices = body.get("choices")
        if not isinstance(choices, list):
            choices = []
        if not self.model and isinstance(body.get("model"), str):
            self.model = _clean(body["model"])[:200]
        if (usage := body.get("usage")) or (usage := _usage_of_timings(body.get("timings"))):
            self._take_usage(usage)
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                self._choice(choice, events)

    def _choice(self, choice: dict[str, Any], events: list[NodeEvent]) -> None:
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            thought = delta.get("reasoning_content") or delta.get("reasoning")
            if thought and isinstance(thought, str):
                self._say(thought, True, events)
            if content := delta.get("content"):
                self._content(content, events)
            if (refusal := delta.get("refusal")) and isinstance(refusal, str):
                self._text(refusal, events)
            if calls := delta.get("tool_calls") or delta.get("function_call"):
                self._tool_calls(calls, events)
        elif (text := choice.get("text")) and isinstance(text, str):
            self._text(text, events)
        if reason := choice.get("finish_reason"):
            self._finish(str(reason), choice, events)

    def _content(self, content: object, events: list[NodeEvent]) -> None:
        if isinstance(content, str):
            self._text(content, events)
        elif isinstance(content, list):  # parts, as Mistral sends them
            for part in content:
                if isinstance(part, dict):
                    inner = part.get("thinking")
                    if isinstance(inner, list):
                        inner = "".join(str(p.get("text") or "") for p in inner if isinstance(p, dict))
                    if isinstance(inner, str) and inner:
                        self._say(inner, True, events)
                    if isinstance(part.get("text"), str):
                        self._text(part["text"], events)

    def _text(self, text: str, events: list[NodeEvent]) -> None:
        for is_thought, piece in self._think.feed(text):
            self._say(piece, is_thought, events)

    def _tool_calls(self, calls: object, events: list[NodeEvent]) -> None:
        self._flush(events)
        for delta in self._calls.feed(calls):
            self._pieces += 1
            self._bytes += len(delta.args_delta)
            self._after_thought = True
            events.append(delta)

    def _say(self, text: str, is_thought: bool, events: list[NodeEvent]) -> None:
        text = _clean(text)
        if not text:
            return
        self._pieces += 1
        self._bytes += len(text) if text.isascii() else len(text.encode())
        if is_thought:
            if self._after_thought and self._thought_yet:
                self._step += 1
            self._thought_yet, self._after_thought = True, False
        else:
            self._after_thought = True
        for start in range(0, len(text), MAX_PIECE):
            piece = text[start : start + MAX_PIECE]
            events.append(Thought(piece, self._step) if is_thought else Text(piece))

    def _finish(self, reason: str, choice: dict[str, Any], events: list[NodeEvent]) -> None:
        reason = reason.lower()
        if reason in _CUT_REASONS:
            self._fail(LiveError(ErrorCode.STREAM_INTERRUPTED, "The node cancelled the answer: try again."), events)
        elif reason == "error":
            self._fail(error_of(Refusal({"error": choice.get("error") or "The node ended with an error."})), events)
        else:
            self._reason = _REASONS.get(reason, "stop")
            self.finished = True

    def _take_usage(self, usage: object) -> None:
        if not isinstance(usage, dict):
            return
        read, written = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        if read or written:
            self._usage = Usage(read, written, _count(usage.get("total_tokens")) or read + written, estimated=False)

    def _flush(self, events: list[NodeEvent]) -> None:
        for is_thought, piece in self._think.flush():
            self._say(piece, is_thought, events)

    def _complete(self, events: list[NodeEvent]) -> None:
        if not self._chunks:
            self._fail(LiveError(ErrorCode.NODE_ERROR, EMPTY), events)
            return
        self._flush(events)
        reason = "tool_calls" if self._calls and self._reason == "stop" else self._reason
        self.ended = self.finished = True
        events += (self.usage, Finish(reason))

    def _fail(self, failure: LiveError, events: list[NodeEvent]) -> None:
        self._flush(events)
        self.failure = failure
        self.ended = True


def prompt_bytes(messages: Sequence[Mapping[str, Any]]) -> int:
    """About how many bytes the model reads: the texts, and four tokens' worth a message for what frames it."""
    size = 0
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):  # of content parts those that are text: an image's bytes are not tokens
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        size += 16 + len(content.encode("utf-8", "replace") if isinstance(content, str) else b"")
    return size


def _loads(payload: bytes) -> object:
    """The JSON value, or None. Invalid UTF-8 and lone surrogates are repaired, not refused."""
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        if payload.lstrip()[:1] != b"{":
            return None
    try:
        return json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _clean(text: str) -> str:
    """Text that databases and sockets take: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _count(value: object) -> int:
    return min(int(value), 1 << 40) if isinstance(value, int | float) and 0 < value < math.inf else 0


def _usage_of_timings(timings: object) -> dict[str, int] | None:
    """llama.cpp tells its counts in `timings` even when usage was not asked for."""
    if not isinstance(timings, dict) or "predicted_n" not in timings:
        return None
    return {
        "prompt_tokens": _count(timings.get("prompt_n")) + _count(timings.get("cache_n")),
        "completion_tokens": _count(timings.get("predicted_n")),
    }


def _too_large() -> LiveError:
    return LiveError(ErrorCode.NODE_ERROR, "The node sent an event larger than 1 MiB; the answer was stopped.")
