"""Runs a handler for one answer: in a thread of its own with an event loop of its own, so that one which blocks keeps
nobody waiting. What it yields comes out in another loop, no faster than it is taken.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from hanzo_live.server.chunks import HandlerFailed, Yielded

Handler: TypeAlias = Callable[..., "AsyncIterator[Yielded] | Iterator[Yielded]"]

AHEAD = 64

FOR_ASYNCIO = (
    "`hanzo_client` is a client for asyncio, and one that blocks is needed (`openai.OpenAI`). "
    "Await this one in a handler of yours: `@server.on_stream`."
)


class Stopped(BaseException):
    """Nobody reads the answer any more. No handler should take it for a failure."""


def accepted(handler: Handler, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `options` that the handler takes."""
    parameters = inspect.signature(handler).parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values()):
        return dict(options)
    return {name: value for name, value in options.items() if name in parameters}


def handler_of(client: Any) -> Callable[..., Iterator[Yielded]]:
    """A handler that asks `client.chat.completions.create(…, stream=True)`."""

    def handle(messages: list[dict[str, Any]], model: str, **options: Any) -> Iterator[Yielded]:
        answer = client.chat.completions.create(messages=messages, model=model, stream=True, **options)
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise HandlerFailed(FOR_ASYNCIO)
        try:
            for chunk in answer:
                yield from _told(chunk)
        finally:
            # Who writes it is told at once that nobody reads any more.
            if close := getattr(answer, "close", None):
                close()

    return handle


def _told(chunk: Any) -> Iterator[Yielded]:
    """What a chunk of OpenAI's kind has."""
    if not chunk.choices:
        return
    choice = chunk.choices[0]
    delta = choice.delta
    if thought := getattr(delta, "reasoning_content", None):
        yield {"type": "thought", "data": thought}
    if text := getattr(delta, "content", None):
        yield {"type": "token", "data": text}
    if calls := getattr(delta, "tool_calls", None):
        yield {"type": "tool_call_delta", "data": [call.model_dump(exclude_none=True) for call in calls]}
    if reason := getattr(choice, "finish_reason", None):
        yield {"type": "complete", "finish_reason": reason}


class Running:
    """One answer being written. Iterate it in the loop that made it; `stop` it when nobody reads any more. There `ended`
    is called as well, once the handler does nothing any more.
    """

    def __init__(self, handler: Handler, arguments: Mapping[str, Any], ended: Callable[[], None]) -> None:
        self._handler = handler
        self._arguments = arguments
        self._ended = ended
        self._reader = asyncio.get_running_loop()
        self._items: asyncio.Queue[Yielded | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(AHEAD)
        self._stopped = threading.Event()
        self._own: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._thread = threading.Thread(target=self._run, name="hanzo-live-handler", daemon=True)
        self._thread.start()

    async def items(self) -> AsyncIterator[Yielded]:
        """What the handler yields. Raises what it raises."""
        while (item := await self._items.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            self._room.release()
            yield item

    def stop(self) -> None:
        """End the handler: where it awaits at once, where it blocks at its next item."""
        self._stopped.set()
        self._room.release()
        own = self._own
        if own is not None and not own[0].is_closed():
            own[0].call_soon_threadsafe(own[1].cancel)

    def _run(self) -> None:
        last: BaseException | None = None
        try:
            asyncio.run(self._write())
        except (Stopped, asyncio.CancelledError):
            pass
        except BaseException as error:
            # Whatever a handler raises is told to who reads; nobody waits for this thread.
            last = error
        # First: who reads the end may ask again at once.
        self._tell(self._ended)
        self._put(last)

    async def _write(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._own = (asyncio.get_running_loop(), task)
        written = self._handler(**self._arguments)
        try:
            if isinstance(written, AsyncIterator):
                async for item in written:
                    self._offer(item)
            else:
                for item in written:
                    self._offer(item)
        finally:
            # At once, and not when it is collected: what it reads from may cost somebody something.
            if isinstance(written, AsyncGenerator):
                await written.aclose()
            elif isinstance(written, Generator):
                written.close()

    def _offer(self, item: Yielded) -> None:
        # The thread is this answer's alone: it may wait.
        self._room.acquire()
        if self._stopped.is_set():
            raise Stopped
        self._put(item)

    def _put(self, item: Yielded | BaseException | None) -> None:
        self._tell(self._items.put_nowait, item)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        # Closed: the server has ended while this handler blocked.
        with suppress(RuntimeError):
            self._reader.call_soon_threadsafe(what, *arguments)
