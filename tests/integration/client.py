"""A small client of `hanzo.live.v1` for tests: one socket, and per log the reference's position and fold."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from hanzo_live.protocol import Position, State
from tests.integration.stack import PATIENCE_S, Person, Stack


class Refused(Exception):
    """The server answered a command with an error."""

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__(f"{reply['code']}: {reply['message']}")
        self.reply = reply
        self.code: str = reply["code"]


class Watched:
    """One log as a client has it; it outlives the socket, so that another can resume it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.position = Position()
        self.state = State()
        self.applied: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.gaps = 0

    def take(self, event: dict[str, Any]) -> bool:
        """Apply the frame by the rules of order; False where there is a gap."""
        self.frames.append(event)
        verdict = self.position.apply(event)
        if verdict == "apply":
            self.applied.append(event)
            self.state.apply(event)
        self.gaps += verdict == "gap"
        return verdict != "gap"

    def text(self, stream: str) -> str:
        return self.state.streams[stream].content if stream in self.state.streams else ""

    def ended(self, stream: str) -> bool:
        """Whether this client knows that the stream is over, by its events or by the transcript."""
        found = self.state.streams.get(stream)
        if found is not None:
            return found.ended
        return any(m["stream"] == stream and m["status"] in ENDED for m in self.state.messages.values())

    def reply(self, stream: str) -> dict[str, Any]:
        """The message that the stream writes."""
        return next(m for m in self.state.messages.values() if m["stream"] == stream)

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        return [event for event in self.applied if event["type"] in types]


ENDED = ("complete", "stopped", "failed")


class Live:
    """A connected socket. Frames are read by a task of its own; tests wait for what they show."""

    def __init__(self, connection: ClientConnection, logs: dict[str, Watched]) -> None:
        self.connection = connection
        self.logs = logs
        self.errors: list[dict[str, Any]] = []  # those without an id
        self.welcome: dict[str, Any] = {}
        self.goaway: dict[str, Any] | None = None
        self._ids = itertools.count(1)
        self._replies: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self._subscribing: dict[int, Watched] = {}
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    # Commands -------------------------------------------------------------------------------------------------------

    async def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a command; its reply. Raises Refused."""
        reply = await self.send({"id": next(self._ids), "type": type, **fields})
        if reply["type"] == "error":
            raise Refused(reply)
        return reply

    async def send(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send a command as it is; its reply, be it an error."""
        future = self._replies[command["id"]] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps(command))
        async with asyncio.timeout(PATIENCE_S):
            reply: dict[str, Any] = await future
            return reply

    async def raw(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def watch(self, log: str, *, resume: bool = False, **fields: Any) -> Watched:
        """Subscribe; with `resume` from where this client was in the log."""
        watched = self.logs.setdefault(log, Watched(log))
        known = watched.position.resubscribe() if resume else {}
        if not resume:
            watched.position = Position()
        id = next(self._ids)
        self._subscribing[id] = watched
        reply = await self.send({"id": id, "type": "subscribe", "log": log, **known, **fields})
        if reply["type"] == "error":
            raise Refused(reply)
        return watched

    async def start(self, content: str, model: str, **fields: Any) -> tuple[str, Watched]:
        """A stand-alone stream, watched from its start: its id and its log."""
        id = next(self._ids)
        fresh = self._subscribing[id] = Watched("")
        reply = await self.send({"id": id, "type": "stream.start", "content": content, "model": model, **fields})
        if reply["type"] == "error":
            raise Refused(reply)
        return reply["stream"], self.logs.get(reply["log"], fresh)

    async def prompt(self, session: str, content: str, model: str = "", **fields: Any) -> str:
        """Say something in a session; the id of the stream that answers."""
        asked = {"model": model} if model else {}
        reply = await self.ask("message.send", session=session, content=content, **asked, **fields)
        return str(reply["stream"])

    # Waiting --------------------------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[], Any], what: str = "", seconds: float = PATIENCE_S) -> None:
        """Wait until `condition` holds after some frame."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    if self._reader.done():
                        raise AssertionError(f"The socket closed ({self.close_code}) before {what or 'that'}.")
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"Not within {seconds} s: {what or 'the condition'}") from None

    async def has_words(self, watched: Watched, stream: str, count: int) -> None:
        await self.until(lambda: watched.text(stream).count(" ") >= count, f"{count} words of {stream}")

    async def end_of(self, watched: Watched, stream: str, seconds: float = PATIENCE_S) -> None:
        await self.until(lambda: watched.ended(stream), f"the end of {stream}", seconds)

    async def closed(self) -> int | None:
        """The close code, once the server has closed the socket."""
        async with asyncio.timeout(PATIENCE_S):
            await self._reader
        return self.close_code

    @property
    def close_code(self) -> int | None:
        return self.connection.close_code

    # Reading --------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        with suppress(websockets.ConnectionClosed):
            async for raw in self.connection:
                assert isinstance(raw, str)
                await self._take(json.loads(raw))
                self._changed.set()
        self._changed.set()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(ConnectionError(f"closed with {self.connection.close_code}"))
                future.exception()

    async def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "goaway":
            self.goaway = frame
            return
        if frame["type"] not in ("ok", "error", "welcome", "pong") or ("log" in frame and "id" not in frame):
            watched = self.logs.get(frame["log"])
            if watched is not None and not watched.take(frame):
                await self._mend(watched)
            return
        id = frame.get("id")
        if frame["type"] == "ok" and id in self._subscribing:
            watched = self._subscribing.pop(id)
            if watched.name != frame["log"]:
                watched.name = frame["log"]
                watched = self.logs.setdefault(frame["log"], watched)
            if frame.get("epoch") is not None:
                watched.position.subscribed(frame)
        if id is None:
            self.errors.append(frame)
        elif (future := self._replies.get(id)) is not None and not future.done():
            future.set_result(frame)

    async def _mend(self, watched: Watched) -> None:
        """As a client does after a gap: subscribe again from what it has."""
        id = next(self._ids)
        self._subscribing[id] = watched
        position = watched.position.resubscribe()
        await self.connection.send(json.dumps({"id": id, "type": "subscribe", "log": watched.name, **position}))


@asynccontextmanager
async def live(
    stack: Stack,
    person: Person | None = None,
    *,
    hello: bool = True,
    logs: dict[str, Watched] | None = None,
    headers: dict[str, str] | None = None,
    url: str = "",
    **options: Any,
) -> AsyncIterator[Live]:
    """A socket that speaks for `person` by `hello`; with `hello=False` it says nothing by itself.

    `logs` are those of an earlier socket, to be resumed. Other options are `websockets`' own.
    """
    async with connect(
        url or stack.socket_url, additional_headers=headers, max_size=None, proxy=None, compression=None, **options
    ) as connection:
        client = Live(connection, {} if logs is None else logs)
        try:
            if hello:
                client.welcome = await client.ask("hello", token=person.token if person else None)
            yield client
        finally:
            await connection.close()
            await client._reader
