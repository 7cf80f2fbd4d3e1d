"""The scripted node: an honest plain ASGI program that speaks the OpenAI API and says what a script tells it.

For tests, demos and benchmarks of speed, thoughts, tools and failures. It is no model and says so in `owned_by`.
Run it with `hanzo-live node`; what it says is in `script.py`, what it saw at `GET /script/log`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import orjson

from .answer import Answer, Refused, Send, send_json
from .embeddings import embeddings
from .journal import Journal, State
from .script import (
    CONTEXT_LENGTH,
    OWNER,
    SCRIPTS,
    BadScript,
    Script,
    expected_text,
    expected_thoughts,
    parse_model,
    text_of,
)

__all__ = ["ScriptedNode", "create_app", "expected_text", "expected_thoughts"]

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]

MAX_BODY = 8 * 1024 * 1024
SETTLE_S = 5.0


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
        except Refused as refused:
            await send_json(send, refused.status, refused.body)

    async def _route(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if path.startswith("/v1/") and self._api_key and headers.get("authorization") != f"Bearer {self._api_key}":
            raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        match (method, path):
            case ("POST", "/v1/chat/completions"):
                await self._chat(await _body(receive), headers, receive, send)
            case ("POST", "/v1/embeddings"):
                body = await _body(receive)
                self.journal.embedded.append(body.get("input"))
                await send_json(send, 200, await embeddings(body))
            case ("GET", "/v1/models"):
                await send_json(send, 200, {"object": "list", "data": [_model(name) for name in SCRIPTS]})
            case ("GET", "/health"):
                await send_json(send, 200, {"status": "ok"})
            case ("GET", "/script/log"):
                query = parse_qs(scope["query_string"].decode("latin-1"))
                if "settled" in query:
                    await self.journal.settled(SETTLE_S)
                await send_json(send, 200, self.journal.dump())
            case ("DELETE", "/script/log"):
                self.journal.entries.clear()
                await send_json(send, 200, self.journal.dump())
            case _:
                raise Refused(404, f"There is no {method} {path} here.", code="not_found")

    async def _chat(self, body: dict[str, Any], headers: dict[str, str], receive: Receive, send: Send) -> None:
        try:
            name, script = parse_model(str(body.get("model") or ""), body, self._aliases)
        except BadScript as error:
            raise Refused(400, str(error)) from None
        entry = self.journal.begin(body, name, headers)
        state: State = "error"
        try:
            if script.fails and self.journal.asked_alike(entry) > script.fails:
                script = replace(script, fail="")
            _check(body, script)
            answer = Answer(entry, name, script, body, int(self._clock()))
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


def _check(body: dict[str, Any], script: Script) -> None:
    """What a node refuses before it answers."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise Refused(400, "'messages' must be a list of at least one object.")
    if script.usage == "refuse" and "stream_options" in body:
        raise Refused(400, "Unrecognized request argument supplied: stream_options")
    if script.refuses_prefix and messages[-1].get("role") == "assistant":
        raise Refused(400, "The last message must be a user's.")
    match script.fail:
        case "first":
            raise Refused(script.status, "The script failed at once, as it was told to.", "server_error")
        case "busy":
            raise Refused(429, "Rate limit reached: try again later.", "requests", "rate_limit_exceeded")
        case "filter":
            raise Refused(400, "The prompt triggered the content management policy.", code="content_filter")
    size = sum(len(text_of(m)) for m in messages) // 4
    if script.fail == "context" or size > CONTEXT_LENGTH:
        raise Refused(
            400,
            f"This model's maximum context length is {CONTEXT_LENGTH} tokens, and your messages are longer.",
            code="context_length_exceeded",
        )


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": OWNER, "context_length": CONTEXT_LENGTH}


async def _body(receive: Receive) -> dict[str, Any]:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise Refused(413, "The request is larger than 8 MiB.")
        if not message.get("more_body"):
            break
    try:
        body = orjson.loads(b"".join(parts))
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"The body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Refused(400, "The body must be a JSON object.")
    return body
