"""One scripted answer on its way to the client: its chunks, its pace, its failures.

What is said comes from `script.py`; which answer is wanted and what became of it is `scripted.py`'s.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from .journal import Entry, State
from .script import Script, answer_tokens, has_used_tools, text_of, thought_tokens, tool_calls

Send = Callable[[dict[str, Any]], Awaitable[None]]

BREATH = 32  # chunks that may be written without letting others run


class Refused(Exception):
    """An answer with an error status, before anything was streamed."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


class Answer:
    """One answer being written. The chunk around each token is encoded once."""

    def __init__(self, entry: Entry, name: str, script: Script, body: dict[str, Any], created: int) -> None:
        messages = entry.messages
        self.entry = entry
        self.script = script
        self.name = name
        self.created = created
        self.thoughts = thought_tokens(script, messages)
        may_call = script.stubborn or body.get("tool_choice") != "none"
        self.tokens = answer_tokens(script, messages, may_call=may_call)
        answered = has_used_tools(script, messages)
        self.calls = [] if answered or not may_call else tool_calls(script, messages, body.get("tools"))
        self.finish = script.finish or ("tool_calls" if self.calls else "stop")
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        if isinstance(limit, int) and limit < len(self.tokens):
            self.tokens, self.finish = self.tokens[:limit], "length"
        if script.continues and messages and messages[-1].get("role") == "assistant":
            self.tokens = _after(self.tokens, text_of(messages[-1]))
        self.prompt_tokens = sum(4 + math.ceil(len(text_of(m).encode()) / 4) for m in messages)
        options = body.get("stream_options")
        asked = isinstance(options, dict) and bool(options.get("include_usage"))
        self.usage_chunk = script.usage == "asked" and asked
        self._head = orjson.dumps(
            {"id": entry.id, "object": "chat.completion.chunk", "created": created, "model": name}
        ).removesuffix(b"}")
        self._before: dict[str, bytes] = {}
        self._next = 0.0

    async def stream(self, send: Send) -> State:
        """Server-sent events."""
        if not self.script.stream:
            raise Refused(502, "The upstream answered in a form that cannot be passed on.", "upstream_error")
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")],
            }
        )
        # The headers go out at once, as with an engine that is reading its prompt.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await self._wait_for_first()
        await self._write(send, self._chunk({"role": "assistant", "content": None}))
        if state := await self._say(send):
            return state
        await self._write(send, self._chunk({}, self.finish, usage=self.script.usage == "always"))
        if self.usage_chunk:
            await self._write(send, self._head + b',"choices":[],"usage":' + orjson.dumps(self._usage()) + b"}")
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})
        return "complete"

    async def whole(self, send: Send) -> State:
        """One JSON object."""
        await self._wait_for_first()
        thoughts, text = "".join(self.thoughts), "".join(self.tokens)
        self.entry.tokens = len(self.thoughts) + len(self.tokens)
        if self.script.rate:
            await asyncio.sleep(self.entry.tokens / self.script.rate)
        if self.script.fail in ("error", "raw"):
            raise Refused(500, "The script failed here, as it was told to.", "server_error")
        if self.script.fail == "silent":
            await asyncio.Event().wait()
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if thoughts and self.script.tags:
            message["content"] = f"<think>{thoughts}</think>\n\n{text}"
        elif thoughts:
            message[self.script.reasoning] = thoughts
        if self.calls:
            message |= {"content": None, "tool_calls": [_call(*call) for call in self.calls]}
        answer = {
            "id": self.entry.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.name,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
        }
        if self.script.usage != "never":
            answer["usage"] = self._usage()
        await send_json(send, 200, answer)
        return "complete"

    async def _wait_for_first(self) -> None:
        if self.script.first_ms:
            await asyncio.sleep(self.script.first_ms / 1000)
        if self.script.fail == "silent" and not self.script.fail_at:
            await asyncio.Event().wait()
        self._next = asyncio.get_running_loop().time()

    async def _say(self, send: Send) -> State | None:
        """Thoughts, text and calls, token by token; the state where the script fails on the way."""
        script, loop = self.script, asyncio.get_running_loop()
        for number, payload in enumerate(self._payloads()):
            if script.fail and script.fail_at == number and (state := await self._fail(send)):
                return state
            if script.rate and number:
                # By the schedule, not by the last token: a late one does not make all that follow late.
                self._next += script.split / script.rate
                if (wait := self._next - loop.time()) > 0:
                    await asyncio.sleep(wait)
            elif number % BREATH == 0:
                await asyncio.sleep(0)
            if script.comments:
                await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
            await send({"type": "http.response.body", "body": payload, "more_body": True})
            self.entry.tokens += script.split
        return await self._fail(send) if script.fail else None

    def _payloads(self) -> Iterable[bytes]:
        if self.thoughts and self.script.tags:
            # Pieces of a tag, as tokenizers cut them.
            yield from map(self._token, ("<th", "ink>", *self.thoughts, "</", "think", ">\n\n"))
        elif self.thoughts:
            for piece in self._merged(self.thoughts):
                yield self._token(piece, self.script.reasoning)
        if self.calls:
            yield from self._call_payloads()
        for piece in self._merged(self.tokens):
            yield self._token(piece)

    def _merged(self, tokens: tuple[str, ...]) -> Iterable[str]:
        split = max(1, self.script.split)
        return tokens if split == 1 else ("".join(tokens[i : i + split]) for i in range(0, len(tokens), split))

    def _token(self, text: str, field: str = "content") -> bytes:
        if (before := self._before.get(field)) is None:
            before = b"data: " + self._head + b',"choices":[{"index":0,"delta":{"%s":' % field.encode()
            self._before[field] = before
        return before + orjson.dumps(text) + b'},"finish_reason":null}]}\n\n'

    def _call_payloads(self) -> Iterable[bytes]:
        for index, (id, name, args) in enumerate(self.calls):
            begin = {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}
            yield self._event(self._chunk({"tool_calls": [begin]}))
            text = orjson.dumps(args).decode()
            size = max(1, math.ceil(len(text) / max(1, self.script.pieces)))
            for start in range(0, len(text), size):
                piece = {"index": index, "function": {"arguments": text[start : start + size]}}
                yield self._event(self._chunk({"tool_calls": [piece]}))

    async def _fail(self, send: Send) -> State | None:
        match self.script.fail:
            case "error":
                error = {"message": "The script failed here, as it was told to.", "type": "server_error", "code": 500}
                await self._write(send, orjson.dumps({"error": error}))
                await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})
                return "error"
            case "raw":  # the Hanzo engine: text that is no JSON, then the end
                text = b"data: The script failed here, as it was told to.\n\ndata: [DONE]\n\n"
                await send({"type": "http.response.body", "body": text, "more_body": False})
                return "error"
            case "cancel":
                await self._write(send, self._chunk({}, "canceled"))
                await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})
                return "error"
            case "cut":
                return "cut"  # returning without the body's end makes the server drop the connection
            case "silent":
                await asyncio.Event().wait()
        return None

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, *, usage: bool = False) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        told = b',"usage":' + orjson.dumps(self._usage()) if usage else b""
        return self._head + b',"choices":' + orjson.dumps(choices) + told + b"}"

    def _usage(self) -> dict[str, int]:
        written = self.entry.tokens
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }

    async def _write(self, send: Send, chunk: bytes) -> None:
        await send({"type": "http.response.body", "body": self._event(chunk), "more_body": True})

    @staticmethod
    def _event(chunk: bytes) -> bytes:
        return b"data: " + chunk + b"\n\n"


def _after(tokens: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    """What is left to say after `prefix`; all of it where the prefix is not how this answer begins."""
    text = ""
    for number, token in enumerate(tokens):
        if text == prefix:
            return tokens[number:]
        text += token
        if len(text) > len(prefix) and text.startswith(prefix):
            return (text[len(prefix) :], *tokens[number + 1 :])
    return () if text == prefix else tokens


def _call(id: str, name: str, args: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": orjson.dumps(args).decode()}}


async def send_json(send: Send, status: int, body: Any) -> None:
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
