"""The handler as an OpenAI-compatible node: a small ASGI program on loopback that only our own server may ask."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

from hanzo_live.protocol.base import JsonObject
from hanzo_live.server.chunks import Chunks, HandlerFailed
from hanzo_live.server.handlers import Handler, Running, accepted

logger = logging.getLogger("hanzo_live.server")

Scope: TypeAlias = "dict[str, Any]"
Receive: TypeAlias = "Callable[[], Awaitable[dict[str, Any]]]"
Send: TypeAlias = "Callable[[dict[str, Any]], Awaitable[None]]"

DEFAULT_MODEL = "default"
MAX_BODY = 16 * 1024 * 1024
OUR_WORDS = "The stream handler failed. Its error is in the server's output."


class HandlerNode:
    """Asks `handler` for every answer, at most `most` at once."""

    def __init__(self, handler: Handler, *, key: str, models: Iterable[str], most: int) -> None:
        self._handler = handler
        self._key = key
        self._models = list(models)
        self._most = most
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"The handler's node speaks HTTP only, not {scope['type']}.")
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, f"Bearer {self._key}".encode()):
            await _json(send, 401, _error("This node answers its own server only.", "invalid_api_key"))
        elif (scope["method"], scope["path"]) == ("GET", "/health"):
            await _json(send, 200, {"status": "ok"})
        # A node that keeps no list is asked for any model.
        elif (scope["method"], scope["path"]) == ("GET", "/v1/models") and self._models:
            models = [{"id": each, "object": "model", "owned_by": "hanzo-live"} for each in self._models]
            await _json(send, 200, {"object": "list", "data": models})
        elif (scope["method"], scope["path"]) == ("POST", "/v1/chat/completions"):
            await self._answer(receive, send)
        else:
            await _json(send, 404, _error("There is no such thing here.", "not_found"))

    async def _answer(self, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None or not isinstance(body.get("messages"), list) or body.get("stream") is not True:
            await _json(send, 400, _error("This node takes `messages`, and streams its answer.", "bad_request"))
            return
        if self._running >= self._most:
            await _json(send, 429, _error("All of the handler's places are taken.", "rate_limit_exceeded"))
            return
        model = str(body.get("model") or DEFAULT_MODEL)
        options = {k: v for k, v in body.items() if k not in {"messages", "model", "stream", "stream_options"}}
        asked = {"messages": body["messages"], "model": model, **options}
        # Its place is taken until it ends, which one that blocks may do long after its reader has left.
        running = Running(self._handler, accepted(self._handler, asked), ended=self._leave)
        self._running += 1
        await self._stream(running, model, receive, send)

    def _leave(self) -> None:
        self._running -= 1

    async def _stream(self, running: Running, model: str, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        writing = asyncio.ensure_future(_write(running, Chunks(model), send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            running.stop()
            for task in (writing, leaving):
                task.cancel()
            await asyncio.gather(writing, leaving, return_exceptions=True)


async def _write(running: Running, chunks: Chunks, send: Send) -> None:
    try:
        async for item in running.items():
            for chunk in chunks.of(item):
                await _event(send, chunk)
        for chunk in chunks.end():
            await _event(send, chunk)
    except HandlerFailed as error:
        await _event(send, _error(str(error), "server_error"))
    except Exception:
        logger.exception("A stream handler failed.")
        await _event(send, _error(OUR_WORDS, "server_error"))
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> JsonObject | None:
    """The request's JSON object; None where it is none, or too large."""
    raw = b""
    more = True
    while more and len(raw) <= MAX_BODY:
        message = await receive()
        raw += message.get("body", b"")
        more = message.get("more_body", False)
    try:
        body = None if more else json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _error(message: str, code: str) -> JsonObject:
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


async def _event(send: Send, event: JsonObject) -> None:
    data = json.dumps(event, ensure_ascii=False).encode()
    await send({"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True})


async def _json(send: Send, status: int, body: JsonObject) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
