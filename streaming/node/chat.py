"""One answer being read: asking, asking again in another way where the node refuses that one, reading, closing.

`ChatStream` is an async iterator of `NodeEvent` and an async context manager. Leaving either way closes the node's
connection at once, which is what makes an engine stop generating.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx

from hanzo_live.protocol.errors import LiveError

from .decoder import StreamDecoder, prompt_bytes
from .events import NodeEvent, Text, Usage
from .http import MAX_BODY_BYTES, MAX_ERROR_BYTES, NodeHTTP, first_byte_timeout, idle_timeout, read_bounded
from .refusals import Refusal, error_of
from .types import ChatRequest, NodeKind, NodeTimeouts

CHAT_PATH = "/v1/chat/completions"
ERROR_BODY_S = 10.0
AFTER_FINISH_S = 5.0  # once the answer is whole, how long usage and `[DONE]` may take
DRAIN_S = 0.25  # after `[DONE]`, how long the end of the body may take for the connection to be kept


class Manners:
    """What is known of a node's ways, shared by its streams and learnt from its refusals.

    By model: behind one gateway there are many engines.
    """

    def __init__(self, kind: Callable[[], Awaitable[NodeKind]]) -> None:
        self.kind = kind
        self.without_usage: set[str] = set()
        self.without_stream: set[str] = set()


class ChatStream:
    """The events of one answer; see `NodeClient.chat`. `model`, `usage` and `streamed` can be read at any time."""

    def __init__(
        self,
        http: NodeHTTP,
        manners: Manners,
        request: ChatRequest,
        timeouts: NodeTimeouts,
        continuation: Callable[[], Awaitable[dict[str, Any]]],
    ) -> None:
        self._http = http
        self._manners = manners
        self._request = request
        self._timeouts = timeouts
        self._continuation = continuation
        self._decoder = StreamDecoder(prompt_bytes(request.messages))
        self._ready: deque[NodeEvent] = deque()
        self._response: httpx.Response | None = None
        self._opening: asyncio.Task[httpx.Response] | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._deadline: float | None = None  # of the first byte, by the loop's clock; None once it came
        self._over = False
        self.streamed = True  # false where the node does not stream: the whole answer comes as one late batch

    @property
    def model(self) -> str:
        """The model that the node says it runs; "" until it said so."""
        return self._decoder.model

    @property
    def usage(self) -> Usage:
        """Tokens so far: the node's own count, or an estimate until it tells one."""
        return self._decoder.usage

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> ChatStream:
        return self

    async def __anext__(self) -> NodeEvent:
        while not self._ready:
            if self._over:
                await self.aclose()  # the response may have come after another task had closed the stream
                raise StopAsyncIteration
            try:
                await self._advance()
            except BaseException as error:
                closed, cancelled = self._over, isinstance(error, asyncio.CancelledError) and _is_cancelled()
                await self.aclose()
                if closed and not cancelled:  # another task closed it under us: that is an end, not a failure
                    raise StopAsyncIteration from None
                raise
        return self._ready.popleft()

    def pending(self) -> list[NodeEvent]:
        """The events already decoded, taken without waiting: a reader may handle one network read as one batch."""
        events = list(self._ready)
        self._ready.clear()
        return events

    async def aclose(self) -> None:
        """Close the node's connection now. May be called by any task, while another one reads, and twice."""
        self._over = True
        if self._opening is not None:
            self._opening.cancel()
        await self._close_response()

    async def _close_response(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()

    async def _advance(self) -> None:
        """Ask, or read once more; events go to `_ready`. Raises what the node or the network did wrong."""
        if self._decoder.ended:
            await self._end()
            return
        if self._chunks is None:
            await self._ask()
            return
        chunk = await self._read(self._chunks)
        if self._over:
            return
        self._ready += self._decoder.feed(chunk) if chunk else self._decoder.end()

    async def _read(self, chunks: AsyncIterator[bytes]) -> bytes:
        """The next bytes; b"" at the end, however the connection ended: the decoder knows whether the answer is whole."""
        loop = asyncio.get_running_loop()
        first = self._deadline is not None
        if self._decoder.finished:
            wait: float | None = min(AFTER_FINISH_S, self._timeouts.idle or AFTER_FINISH_S)
        elif self._deadline is not None:
            wait = max(0.0, self._deadline - loop.time())
        else:
            wait = self._timeouts.idle
        try:
            async with asyncio.timeout(wait):
                chunk = await anext(chunks, b"")
        except TimeoutError:
            if self._decoder.finished:
                return b""
            raise (first_byte_timeout if first else idle_timeout)(self._timeouts) from None
        except (httpx.TransportError, httpx.StreamError):
            return b""
        self._deadline = None
        return chunk

    async def _end(self) -> None:
        if self._decoder.failure is None and self._chunks is not None:
            try:
                async with asyncio.timeout(DRAIN_S):
                    while await anext(self._chunks, b""):
                        pass
            except (TimeoutError, httpx.TransportError, httpx.StreamError):
                pass  # the answer is whole: only the connection is not worth keeping
        await self._close_response()
        if self._decoder.failure is not None:
            raise self._decoder.failure
        self._over = True

    async def _ask(self) -> None:
        """Open the response, in the way this node takes: with usage asked for, then without; streamed, then whole."""
        extra = await self._continuation() if self._request.continue_text else {}
        model = self._request.model
        usage, stream = model not in self._manners.without_usage, model not in self._manners.without_stream
        while True:
            response = await self._post(extra, usage, stream)
            if response.status_code == 200:
                break
            content = await read_bounded(response, ERROR_BODY_S, MAX_ERROR_BYTES)
            await self._close_response()
            refusal = Refusal.of_response(response.status_code, content)
            if stream and usage and refusal.refuses_usage_field:
                usage = False
                self._manners.without_usage.add(model)
            elif stream and await self._does_not_stream(refusal):
                stream = False
            else:
                raise error_of(refusal, response.headers)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if stream and kind != "application/json":
            if kind == "text/html":
                raise error_of(Refusal("a web page, not an answer", 404))
            self._chunks = response.aiter_raw()
            return
        content = await read_bounded(response, None if not stream else self._timeouts.idle, MAX_BODY_BYTES)
        self._ready += self._without_prefix(self._decoder.whole(content))

    async def _post(self, extra: dict[str, Any], usage: bool, stream: bool) -> httpx.Response:
        timeouts = self._timeouts
        if not stream:
            # Such a node is silent until its answer is whole; the caller's own limit on the stream's time applies.
            timeouts = NodeTimeouts(timeouts.connect, None, None)
        self.streamed = stream
        if timeouts.first_byte is not None:
            self._deadline = asyncio.get_running_loop().time() + timeouts.first_byte
        # A task of its own, so that `aclose` reaches a node that has not even answered with headers.
        self._opening = asyncio.create_task(
            self._http.open(
                "POST",
                CHAT_PATH,
                timeouts,
                chat_body(self._request, extra, usage=usage, stream=stream),
                self._request.id,
            )
        )
        try:
            self._response = await self._opening
        finally:
            self._opening = None
        return self._response

    async def _does_not_stream(self, refusal: Refusal) -> bool:
        """Whether to ask again without `stream`: the Hanzo node answers 502 where its upstream streams."""
        if refusal.refuses_streaming:
            self._manners.without_stream.add(self._request.model)
            return True
        if refusal.status != 502:
            return False
        try:
            kind = await self._manners.kind()
        except LiveError:
            return False  # the 502 says more than that nothing else answers either
        if kind == NodeKind.HANZO_NODE:
            self._manners.without_stream.add(self._request.model)
        return kind in (NodeKind.HANZO_NODE, NodeKind.OPENAI, NodeKind.SCRIPTED)

    def _without_prefix(self, events: list[NodeEvent]) -> list[NodeEvent]:
        """llama.cpp repeats the text it continues in an answer that is not streamed."""
        prefix = self._request.continue_text
        if prefix and events and isinstance(events[0], Text) and events[0].data.startswith(prefix):
            rest = events[0].data.removeprefix(prefix)
            return [*([Text(rest)] if rest else []), *events[1:]]
        return events


def _is_cancelled() -> bool:
    """Whether somebody cancelled the task that runs this (and not only something that it waits for)."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def chat_body(request: ChatRequest, extra: dict[str, Any], *, usage: bool, stream: bool) -> dict[str, Any]:
    """The JSON that is posted."""
    messages = list(request.messages)
    if request.continue_text:
        messages.append({"role": "assistant", "content": request.continue_text})
    body: dict[str, Any] = {"model": request.model, "messages": messages, "stream": stream}
    if stream and usage:
        body["stream_options"] = {"include_usage": True}
    for name in ("max_tokens", "temperature", "top_p", "stop", "seed", "tools", "tool_choice"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    return {**body, **extra, **request.extra}
