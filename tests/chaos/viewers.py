"""Who watches a round, and goes on watching: each comes back to either server as often as it is thrown out."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any, TypeVar

import httpx
import websockets

from tests.chaos.wire import Wire
from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room
from tests.integration.pages import Page
from tests.integration.stack import Person

T = TypeVar("T")

# What a client meets while parts are away, and after which it tries again.
AWAY = (OSError, EOFError, TimeoutError, AssertionError, websockets.WebSocketException, httpx.TransportError)
# So long a client waits for an answer before it takes the connection for a dead one.
LIVENESS_S = 8.0
AGAIN_S = 0.1


def may_try_again(refused: Refused) -> bool:
    return bool(refused.reply.get("retryable"))


class Viewer:
    """One person's client at one session. What it has outlives its connections.

    `lost` is what ended it for good: the server's own words that it may see this no more.
    """

    def __init__(self, room: Room, person: Person, wires: list[Wire], chance: Random) -> None:
        self.room, self.person = room, person
        self.watched = Watched(room.log)
        self.wires, self.chance = wires, chance
        self.connections = 0
        self.lost: str | None = None
        self._task = asyncio.create_task(self._watch())

    def __str__(self) -> str:
        return f"{type(self).__name__} of {self.person.name}"

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def broken(self) -> BaseException | None:
        """What ended its task, where that is a defect: of the server or of this test."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def _watch(self) -> None:
        while self.lost is None:
            try:
                await self._connection(self.chance.choice(self.wires))
            except AWAY:
                pass
            except Refused as refused:
                if refused.code in ("forbidden", "not_found"):
                    self.lost = refused.code
                elif not may_try_again(refused):
                    raise
            await asyncio.sleep(AGAIN_S)

    async def _connection(self, wire: Wire) -> None:
        raise NotImplementedError


class SocketViewer(Viewer):
    """On a WebSocket. `do` gives others the use of it."""

    def __init__(self, room: Room, person: Person, wires: list[Wire], chance: Random) -> None:
        self._socket: asyncio.Future[Live] = asyncio.get_running_loop().create_future()
        super().__init__(room, person, wires, chance)

    async def do(self, action: Callable[[Live], Awaitable[T]]) -> T:
        """The action's result, tried on one connection after the other until it has one. Raises Refused for good."""
        while True:
            try:
                async with asyncio.timeout(LIVENESS_S):
                    return await action(await asyncio.shield(self._socket))
            except AWAY:
                await asyncio.sleep(AGAIN_S)
            except Refused as refused:
                if not may_try_again(refused):
                    raise
                await asyncio.sleep(refused.reply.get("retry_after") or AGAIN_S)

    async def _connection(self, wire: Wire) -> None:
        known = self.watched.position.seq is not None
        async with _socket(wire, self.person, {self.room.log: self.watched}) as socket:
            await socket.watch(self.room.log, resume=known)
            await self._opened(socket)
            self.connections += 1
            self._socket.set_result(socket)
            try:
                while not socket.connection.close_code and not socket._reader.done():
                    if any(event["type"] == "unsubscribed" for event in self.watched.frames):
                        self.lost = "unsubscribed"
                        return
                    # As a client's heartbeat: a server that says nothing for so long is left.
                    async with asyncio.timeout(LIVENESS_S):
                        await (await socket.connection.ping())
                    await asyncio.sleep(AGAIN_S)
            finally:
                self._socket = asyncio.get_running_loop().create_future()

    async def _opened(self, socket: Live) -> None:
        """For what else is done on each new connection."""


class Editor(SocketViewer):
    """Writes into the shared draft, wherever the letters land. `typed` has every letter that must be in it at the end."""

    def __init__(self, room: Room, person: Person, wires: list[Wire], chance: Random) -> None:
        self.page: Page | None = None
        self.typed = Counter[str]()
        self._hands = asyncio.Lock()
        super().__init__(room, person, wires, chance)

    async def write(self, text: str) -> None:
        """Into the document at once; to the server when there is one."""
        if self.page is None:
            return
        self.page.insert(self.chance.randint(0, len(str(self.page.text))), text)
        self.typed.update(text)
        await self.do(self._flush)

    async def agree(self) -> str:
        """The draft's text, once each side has told the other all."""
        await self.do(self._sync)
        assert self.page is not None
        return str(self.page.text)

    async def _flush(self, socket: Live) -> None:
        async with self._hands:
            assert self.page is not None
            self.page.socket = socket
            await self.page.flush()

    async def _sync(self, socket: Live) -> None:
        async with self._hands:
            if self.page is None:
                self.page = Page(self.room, socket, self.watched)
            self.page.socket = socket
            await self.page.sync()

    async def _opened(self, socket: Live) -> None:
        await self._sync(socket)


@asynccontextmanager
async def _socket(wire: Wire, person: Person, logs: dict[str, Watched]) -> AsyncIterator[Live]:
    address = wire.url.replace("http", "ws", 1) + "/v1/live"
    stack: Any = None  # of which only the address would be asked
    async with asyncio.timeout(LIVENESS_S):
        entering = live(stack, person, logs=logs, url=address, close_timeout=1)
        socket = await entering.__aenter__()
    try:
        yield socket
    finally:
        socket.connection.transport.abort()
        await entering.__aexit__(None, None, None)


class EventsViewer(Viewer):
    """On server-sent events; a browser's `EventSource` does the same."""

    last = ""

    async def _connection(self, wire: Wire) -> None:
        headers = {"Accept": "text/event-stream", **self.person.headers}
        if self.last:
            headers["Last-Event-ID"] = self.last
        else:
            # As the reference wants it: nothing is known, so a snapshot comes first.
            self.watched.position.subscribed({"mode": "snapshot"})
        async with (
            httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(LIVENESS_S, read=20)) as client,
            client.stream("GET", f"{wire.url}/v1/sessions/{self.room.session}/events", headers=headers) as answer,
        ):
            if answer.status_code != 200:
                await answer.aread()
                raise Refused({"message": "", "retryable": answer.status_code in (429, 503), **_error(answer)})
            self.connections += 1
            await self._read(answer)

    async def _read(self, answer: httpx.Response) -> None:
        kept = ""
        async for piece in answer.aiter_text():
            *events, kept = (kept + piece).split("\n\n")
            for event in events:
                self._take(event)
                if self.lost:
                    return

    def _take(self, event: str) -> None:
        fields = dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
        if "data" not in fields:
            return
        data: dict[str, Any] = json.loads(fields["data"])
        if data["type"] in ("goaway", "error") and "stream" not in data:
            return
        if not self.watched.take(data):
            raise EOFError(f"{self} has a gap before {event[:200]}")
        self.last = fields.get("id", self.last)
        if data["type"] == "unsubscribed":
            self.lost = "unsubscribed"


def _error(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {"code": f"HTTP {answer.status_code}"}
    return {**said, "code": said.get("code", f"HTTP {answer.status_code}")}
