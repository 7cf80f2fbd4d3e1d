"""`POST /v1/chat/completions`: OpenAI's request onto a stream of ours, and its events back into OpenAI's answer.

Unlike everywhere else, closing the connection stops the stream, and errors have OpenAI's body.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase, JsonResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from hanzo_live.protocol import StreamRequest
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.api.errors import as_live_error, headers_of
from sessions.api.permissions import AnonymousWhereAllowed
from sessions.api.throttling import STARTS
from sessions.models import User
from streaming import services
from streaming.api import bodies, shapes
from streaming.api.streams import user_of
from streaming.database import in_db
from streaming.hub import View
from streaming.projections import openai, sse
from streaming.projections.reader import LogReader

# What OpenAI calls as we do, and what it does not know: `route`, not to hear of which would break a promise, and `cache`,
# without which no answer is given again. Other fields are not passed on.
TAKEN = ("model", "messages", "temperature", "top_p", "stop", "seed", "tools", "tool_choice", "route", "cache")


class ChatCompletions(APIView):
    rates = {"POST": STARTS}
    error_shape = shapes.OpenAIErrorShape
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(
        operation_id="chat_completions",
        request={"application/json": {"type": "object"}},
        responses={200: {"type": "object"}},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """OpenAI's chat completions, streaming (`stream: true`) and whole.

        `cache`, as in a stream's options, is our extension: with it an earlier answer may be given again, and says
        `"cached": "exact"` or `"semantic"`, whole and in each chunk.
        """
        body = bodies.body_of(request)
        asked = request_of(body)
        answer = Answer(user_of(request), asked)
        if body.get("stream") is True:
            async_to_sync(answer.begin)()
            options = body.get("stream_options")
            include_usage = isinstance(options, dict) and options.get("include_usage") is True
            return StreamingHttpResponse(
                answer.chunks(include_usage=include_usage), content_type=sse.CONTENT_TYPE, headers=sse.HEADERS
            )
        return JsonResponse(async_to_sync(answer.whole)())

    def handle_exception(self, exc: Exception) -> Any:
        error, status = as_live_error(exc)
        if error is None:
            return super().handle_exception(exc)
        return JsonResponse(openai.error_body(error), status=status, headers=headers_of(error))


def request_of(body: dict[str, Any]) -> StreamRequest:
    """OpenAI's request as ours. Raises LiveError `bad_request`."""
    if body.get("n") not in (None, 1):
        raise LiveError(ErrorCode.BAD_REQUEST, "`n` must be 1: one request gives one answer here.", field="n")
    if not isinstance(body.get("stream"), bool | None):
        raise LiveError(ErrorCode.BAD_REQUEST, "`stream` must be true or false.", field="stream")
    taken = {name: body[name] for name in TAKEN if body.get(name) is not None}
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    if limit is not None:
        taken["max_tokens"] = limit
    for name in ("temperature", "top_p"):
        if isinstance(taken.get(name), int) and not isinstance(taken[name], bool):
            taken[name] = float(taken[name])
    if "messages" not in taken:
        raise LiveError(ErrorCode.BAD_REQUEST, "`messages` is missing: send the conversation.", field="messages")
    return bodies.checked(StreamRequest, taken)


class Answer:
    """One request's stream, from start to last chunk. On the server's event loop."""

    def __init__(self, user: User | None, asked: StreamRequest) -> None:
        self._user = user
        self._asked = asked
        self._id = uuid4()
        self._reader = LogReader(str(user.pk) if user else None)
        self._events = self._reader.events()
        self._over = False
        # Tools that the caller brings it runs itself; `auto` are ours, and nothing for it to run.
        self._runs_tools = asked.tools != "auto"
        self._completion = openai.Completion(
            str(self._id), int(time.time()), asked.model or "", shows_calls=self._runs_tools
        )

    async def begin(self) -> None:
        """Start, and wait until the model has begun or failed: only until then a status can say so. Raises LiveError."""
        try:
            await self._reader.subscribe(f"stream:{self._id}", View(show_thoughts=True), start="head")
            await in_db(
                services.start_stream,
                self._user,
                self._asked,
                messages=self._asked.messages,
                stream_id=self._id,
                caller_runs_tools=self._runs_tools,
            )
            self._reader.begin()
            async for event in self._events:
                if event is not None and event["type"] in ("token", "thought", "tool_call", "complete", "error"):
                    self._first = event
                    if event["type"] == "error":
                        self._completion.deltas(event)  # raises
                    return
                if event is not None:
                    self._completion.deltas(event)
        except BaseException:
            await self._end()
            raise

    async def whole(self) -> dict[str, Any]:
        """The whole answer. Raises LiveError."""
        await self.begin()
        try:
            async for event in self._all():
                if event is not None:
                    self._completion.deltas(event)
                    if self._completion.finish_reason is not None:
                        self._over = True
                        return self._completion.whole()
            raise LiveError(ErrorCode.STREAM_INTERRUPTED, "The answer was cut off. Ask again.")
        finally:
            await self._end()

    async def chunks(self, *, include_usage: bool) -> AsyncIterator[bytes]:
        """The streaming body. A client that goes away stops the stream."""
        try:
            async for chunk in openai.chunks(self._completion, self._all(), include_usage=include_usage):
                yield chunk
            self._over = True
        finally:
            await self._end()

    async def _all(self) -> AsyncIterator[dict[str, Any] | None]:
        yield self._first
        async for event in self._events:
            yield event

    async def _end(self) -> None:
        self._reader.close()
        if not self._over:
            # Shielded: the very cancellation that says that the client is gone must not keep us from stopping.
            await asyncio.shield(asyncio.ensure_future(_stop(self._user, self._id)))


async def _stop(user: User | None, id: UUID) -> None:
    try:
        await in_db(services.stop_stream, user, id)
    except LiveError as error:
        if error.code is not ErrorCode.NOT_FOUND:  # it had not begun
            raise
