"""The scripted node: an honest plain ASGI program that speaks the OpenAI API and says what a script tells it.

For tests, demos and benchmarks of speed, thoughts, tools and failures. It is no model and says so in `owned_by`.
Run it with `hanzo-live node`; what it says is in `script.py`, what it saw at `GET /script/log`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from .journal import Entry, Journal, State
from .script import (
    CONTEXT_LENGTH,
    OWNER,
    SCRIPTS,
    BadScript,
    Script,
    answer_tokens,
    expected_text,
    expected_thoughts,
    parse_model,
    text_of,
    thought_tokens,
    tool_calls,
)

__all__ = ["ScriptedNode", "create_app", "expected_text", "expected_thoughts"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_BODY = 8 * 1024 * 1024
BREATH = 32  # chunks that may be written without letting others run
SETTLE_S = 5.0


class _Refused(Exception):
    """An answer with an error status, before anything was streamed."""

    def __init__(self, status: int, message: str, kind: str = "invalid_request_error", code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


def create_app(
    *, api_key: str = "", aliases: Mapping[str, str] | None = None, clock: Callable[[], float] = time.time
) -> ScriptedNode:
    """The ASGI application. With `api_key`, `/v1` asks for it as a bearer token. `aliases` maps names to scripts."""
    return ScriptedNode(api_key, dict(aliases or {}), clock)


class ScriptedNode:
    """One node. `journal` is what `/script/log` shows, for tests in the same process."""

    def __init__(self, api_key: str, aliases: dict[str, str], clock: Callable[[], float]) -> None:
        self.journal = Journal(clock)
        self._api_key = api_key
        self._aliases = aliases
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"The scripted node speaks HTTP only, not {scope['type']}.")
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        try:
            await self._route(scope, headers, receive, send)
        except _Refused as refused:
            await _json(send, refused.status, refused.body)

    async def _route(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if path.startswith("/v1/") and self._api_key and headers.get("authorization") != f"Bearer {self._api_key}":
            raise _Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        match (method, path):
            case ("POST", "/v1/chat/completions"):
                await self._chat(await _body(receive), headers, receive, send)
            case ("GET", "/v1/models"):
                await _json(send, 200, {"object": "list", "data": [_model(name) for name in SCRIPTS]})
            case ("GET", "/health"):
                await _json(send, 200, {"status": "ok"})
            case ("GET", "/script/log"):
                query = parse_qs(scope["query_string"].decode("latin-1"))
                if "settled" in query:
                    await self.journal.settled(SETTLE_S)
                await _json(send, 200, self.journal.dump())
            case ("DELETE", "/script/log"):
                self.journal.entries.clear()
                await _json(send, 200, self.journal.dump())
            case _:
                raise _Refused(404, f"There is no {method} {path} here.", code="not_found")

    async def _chat(self, body: dict[str, Any], headers: dict[str, str], receive: Receive, send: Send) -> None:
        try:
            name, script = parse_model(str(body.get("model") or ""), body, self._aliases)
        except BadScript as error:
            raise _Refused(400, str(error)) from None
        entry = self.journal.begin(body, name, headers)
        state: State = "error"
        try:
            _check(body, script)
            answer = _Answer(entry, name, script, body, int(self._clock()))
            write = answer.stream if entry.stream else answer.whole
            state = await _unless_closed(write(send), receive)
        finally:
            self.journal.end(entry, state)


async def _unless_closed(writing: Awaitable[State], receive: Receive) -> State:
    """Write until the end or until the client closes its connection, whichever is first."""

    async def closed() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    writer, watcher = asyncio.ensure_future(writing), asyncio.ensure_future(closed())
    try:
        await asyncio.wait((writer, watcher), return_when=asyncio.FIRST_COMPLETED)
        return writer.result() if writer.done() else "cancelled"
    finally:
        for task in (writer, watcher):
            task.cancel()
        await asyncio.gather(writer, watcher, return_exceptions=True)


class _Answer:
    """One answer being written. The chunk around each token is encoded once."""

    def __init__(self, entry: Entry, name: str, script: Script, body: dict[str, Any], created: int) -> None:
        messages = entry.messages
        self.entry = entry
        self.script = script
        self.name = name
        self.created = created
        self.thoughts = thought_tokens(script, messages)
        self.tokens = answer_tokens(script, messages)
        answered = bool(messages) and messages[-1].get("role") == "tool"
        self.calls = [] if answered else tool_calls(script, messages, body.get("tools"))
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
            raise _Refused(502, "The upstream answered in a form that cannot be passed on.", "upstream_error")
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
            raise _Refused(500, "The script failed here, as it was told to.", "server_error")
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
        await _json(send, 200, answer)
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


def _check(body: dict[str, Any], script: Script) -> None:
    """What a node refuses before it answers."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise _Refused(400, "'messages' must be a list of at least one object.")
    if script.usage == "refuse" and "stream_options" in body:
        raise _Refused(400, "Unrecognized request argument supplied: stream_options")
    match script.fail:
        case "first":
            raise _Refused(script.status, "The script failed at once, as it was told to.", "server_error")
        case "busy":
            raise _Refused(429, "Rate limit reached: try again later.", "requests", "rate_limit_exceeded")
        case "filter":
            raise _Refused(400, "The prompt triggered the content management policy.", code="content_filter")
    size = sum(len(text_of(m)) for m in messages) // 4
    if script.fail == "context" or size > CONTEXT_LENGTH:
        raise _Refused(
            400,
            f"This model's maximum context length is {CONTEXT_LENGTH} tokens, and your messages are longer.",
            code="context_length_exceeded",
        )


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


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER, "context_length": CONTEXT_LENGTH}


async def _body(receive: Receive) -> dict[str, Any]:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise _Refused(413, "The request is larger than 8 MiB.")
        if not message.get("more_body"):
            break
    try:
        body = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError as error:
        raise _Refused(400, f"The body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _Refused(400, "The body must be a JSON object.")
    return body


async def _json(send: Send, status: int, body: Any) -> None:
    content = orjson.dumps(body)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
