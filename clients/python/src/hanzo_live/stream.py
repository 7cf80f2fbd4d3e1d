"""One answer as it is written, for asyncio: iterate its events or its text, more than once if you like, and stop it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from pydantic import ValidationError
from typing_extensions import Self

from hanzo_live.core.answer import Answer, TextReader, is_terminal
from hanzo_live.core.kept import Mark
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import EVENTS, AnyEvent
from hanzo_live.protocol.fold import StreamState

Item = TypeVar("Item", str, AnyEvent)


class Bell:
    """Wakes everybody who waits for something new. Waiting may be cancelled at any time."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def heard(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)


class AsyncLiveStream:
    """Iterates the answer's events, the terminal one included; `tokens()` its text. Reading begins at the start each
    time. Failures, also those to start, are raised where it is read. Where all who iterate it are slow, the server is
    asked for no more until one of them has caught up.
    """

    def __init__(self, stop: Callable[[str], Awaitable[None]]) -> None:
        self._stop = stop
        self._stop_wanted = False
        self._leave: Callable[[], None] | None = None
        self._bell = Bell()
        self.answer = Answer()

    @property
    def id(self) -> str | None:
        """The stream's id; None until the server has given it one."""
        return self.answer.id

    @property
    def state(self) -> StreamState:
        """Everything known of it so far."""
        return self.answer.state

    @property
    def over(self) -> bool:
        return self.answer.over

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        return self.events()

    def events(self) -> EventReader:
        """Every event from the start. Raises HanzoLiveError only where the terminal event cannot be had."""
        return EventReader(self)

    def tokens(self) -> TokenReader:
        """The text as it comes. Raises HanzoLiveError where the answer fails, or begins again with another text."""
        return TokenReader(self)

    async def text(self) -> str:
        """The whole text, once it is whole. Raises HanzoLiveError, which has the text so far."""
        # Whoever wants the whole waits for all of it.
        mark = Mark(None)
        self.answer.kept.add(mark)
        try:
            while not self.answer.over:
                await self._bell.heard()
        finally:
            self.answer.kept.remove(mark)
        if (error := self.answer.error) is not None:
            raise error
        return self.answer.state.content

    async def stop(self) -> None:
        """End the answer; what was written so far stays. Returns when the server has taken it."""
        self._stop_wanted = True
        if self.answer.id is not None and not self.answer.over:
            await self._stop(self.answer.id)

    def close(self) -> None:
        """Read no more. The answer itself goes on; see `stop`."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave()

    async def change(self, after: int) -> None:
        """Wait until there are more than `after` events, or there will be no more."""
        while len(self.answer.events) <= after and not self.answer.over:
            await self._bell.heard()

    # Told by the client ---------------------------------------------------------------------------------------------

    def begin(self, id: str, leave: Callable[[], None], hold: Callable[[bool], None]) -> bool:
        """The server gave it an id; `leave` stops watching, `hold` for a while. True where it is to be stopped at once."""
        self._leave = leave
        self.answer.begin(id)

        def hold_unless_over(held: bool) -> None:
            if not self.answer.over and self._leave is not None:
                hold(held)

        self.answer.kept.hold = hold_unless_over
        self._bell.ring()
        return self._stop_wanted

    def event(self, event: JsonObject) -> None:
        if self.answer.take(event):
            self._bell.ring()

    def ended(self, error: HanzoLiveError) -> None:
        self.answer.fail(error)
        self._bell.ring()


class Reader(Generic[Item]):
    """Where one reader of a stream is. Unlike a generator it survives the cancelling of a step."""

    def __init__(self, stream: AsyncLiveStream) -> None:
        self._stream = stream
        self._mark = Mark()
        self._known = False
        self._done = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        self._begin()
        while not self._done:
            at = self._mark.next or 0
            await self._stream.change(at)
            events = self._stream.answer.events
            if at == len(events):
                self._done = True
                if (error := self._stream.answer.error) is not None:
                    raise error
                break
            event = events[at]
            self._mark.next = at + 1
            self._stream.answer.kept.balance()
            self._done = is_terminal(event)
            if (item := self._item(event)) is not None:
                return item
        raise StopAsyncIteration

    def _begin(self) -> None:
        """From its first step on it is one for whom the server may be held back; until it is dropped, in any thread."""
        if self._known:
            return
        self._known = True
        kept, loop = self._stream.answer.kept, asyncio.get_running_loop()
        kept.add(self._mark)

        def dropped() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(kept.balance)

        weakref.finalize(self._mark, dropped).atexit = False

    def _item(self, event: JsonObject) -> Item | None:
        raise NotImplementedError


class EventReader(Reader[AnyEvent]):
    def _item(self, event: JsonObject) -> AnyEvent | None:
        return event_of(event)


class TokenReader(Reader[str]):
    def __init__(self, stream: AsyncLiveStream) -> None:
        super().__init__(stream)
        self._text = TextReader()

    def _item(self, event: JsonObject) -> str | None:
        if event["type"] == "error":
            raise self._stream.answer.error or HanzoLiveError.from_wire(event)
        try:
            return self._text.take(event) or None
        except HanzoLiveError:
            self._done = True
            raise


def event_of(event: JsonObject) -> AnyEvent:
    """The event as a model; one that a newer server words differently keeps its fields as they came."""
    model = EVENTS[event["type"]]
    try:
        return model.model_validate(event)  # type: ignore[return-value]
    except ValidationError:
        return model.model_construct(**event)  # type: ignore[return-value]
