"""A log that is being watched, for asyncio: its events one by one, and what they amount to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from typing_extensions import Self

from hanzo_live.core.kept import LITTLE, TOO_MUCH, weight
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import EVENTS, AnyEvent
from hanzo_live.protocol.fold import State
from hanzo_live.stream import Bell, event_of


class AsyncWatching:
    """Iterates the log's events: first a snapshot, then every event, in order and once; after a cut that could not be
    bridged, a snapshot again. Ends by `close`; raises HanzoLiveError where the server ends it. Who iterates slowly holds
    the server back: it sends no more until what is here has been read.
    """

    def __init__(self) -> None:
        self.state = State()
        """What the events so far amount to: session, members, messages and streams."""
        self.present: dict[str, JsonObject] = {}
        """Who is here, by id, as far as the server lists them."""
        self._events: deque[JsonObject] = deque()
        self._unread = 0
        self._read = False
        self._held = False
        self._hold: Callable[[bool], None] = lambda held: None
        self._bell = Bell()
        self._leave: Callable[[], None] | None = None
        self._error: HanzoLiveError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        self._read = True
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._leave is None:
                raise StopAsyncIteration
            await self._bell.heard()
        event = self._events.popleft()
        self._unread -= weight(event)
        self._balance()
        return event_of(event)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Watch no more."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave()
            self._bell.ring()

    # Told by the client ---------------------------------------------------------------------------------------------

    def begin(self, leave: Callable[[], None], hold: Callable[[bool], None]) -> None:
        self._leave = leave
        self._hold = hold

    def event(self, event: JsonObject) -> None:
        if event["type"] not in EVENTS:
            return
        self.state.apply(event)
        if event["type"] == "presence":
            self._apply_presence(event)
        self._events.append(event)
        self._unread += weight(event)
        self._balance()
        self._bell.ring()

    def ended(self, error: HanzoLiveError) -> None:
        self._error, self._leave = error, None
        self._bell.ring()

    def _balance(self) -> None:
        """Who looks at `state` alone, and never iterates, holds nothing back."""
        held = self._read and self._unread > (LITTLE if self._held else TOO_MUCH)
        if held != self._held and self._leave is not None:
            self._held = held
            self._hold(held)

    def _apply_presence(self, event: JsonObject) -> None:
        if event.get("users") is not None:
            self.present = {}
        for each in event.get("users") or event.get("changes") or ():
            if each["left"]:
                self.present.pop(each["user"]["id"], None)
            else:
                self.present[each["user"]["id"]] = each
