"""The client for asyncio: one connection, streams and watched logs over it. How they work is in `core` and `stream.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from typing_extensions import Self, Unpack

from hanzo_live.addresses import DEFAULT_URL, base_url
from hanzo_live.channel import Channel
from hanzo_live.core.state import ConnectionState
from hanzo_live.core.subscription import WatchOptions
from hanzo_live.emitter import ClientEvent, Emitter, Listener
from hanzo_live.options import AnswerOptions, ClientOptions, Settings, StreamRequest
from hanzo_live.protocol.base import JsonObject
from hanzo_live.rest import Rest
from hanzo_live.results import Invited, Sent
from hanzo_live.stream import AsyncLiveStream
from hanzo_live.watching import AsyncWatching


class AsyncHanzoLiveClient:
    """A client of the Hanzo Live server at `url` (`ws://host:port`; `http` is the same), for one event loop.

    It connects when it is first used, or by `connect` or `async with`. Calls raise HanzoLiveError.
    """

    def __init__(self, url: str = DEFAULT_URL, **options: Unpack[ClientOptions]) -> None:
        self._url = url
        self._settings = Settings.of(options)
        self._events = Emitter()
        self._rest = Rest(base_url(url), self._settings)
        self._main: Channel | None = None
        # Sockets of single streams, with `multiplexing=False`.
        self._extra: set[Channel] = set()
        self._closing: set[asyncio.Task[None]] = set()

    # The connection -------------------------------------------------------------------------------------------------

    @property
    def connection_state(self) -> ConnectionState:
        return self._main.state if self._main else ConnectionState("idle")

    @property
    def user(self) -> JsonObject | None:
        """Who the server takes us for: {id, name, avatar, anonymous}; None before the first connection."""
        welcome = self._main.transport.link.connection.welcome if self._main else None
        return welcome["user"] if welcome else None

    async def connect(self) -> None:
        """Return once connected. Raises when attempts are spent or the server refused."""
        await self._channel.ready()

    async def wait_for_reconnect(self) -> None:
        """Return when the connection is back. Raises when it will not come back by itself."""
        await self.connect()

    async def disconnect(self) -> None:
        """Close everything; answers on the server go on. Whatever is being read ends with STREAM_INTERRUPTED."""
        channels = [each for each in (self._main, *self._extra) if each is not None]
        self._extra.clear()
        await asyncio.gather(*(each.close() for each in channels))
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()

    def on(self, event: ClientEvent, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each `event`; the result stops that.

        `connection` (ConnectionState), `error` (HanzoLiveError), `reconnect` (number of the attempt), `reconnected` (),
        `stream_start` (StreamStarted), `stream_complete` (StreamCompleted), `stream_error` (StreamFailed).
        """
        return self._events.on(event, listener)

    # Answers --------------------------------------------------------------------------------------------------------

    def stream(self, **request: Unpack[StreamRequest]) -> AsyncLiveStream:
        """Ask a model, at once; the result iterates the answer's events."""
        return self._begin(request)

    async def stream_chat(self, **request: Unpack[StreamRequest]) -> AsyncIterator[str]:
        """Ask a model; the answer's text as it comes. Leaving the loop early reads no more; the answer goes on."""
        stream = self._begin(request)
        try:
            async for text in stream.tokens():
                yield text
        finally:
            stream.close()

    def resume(self, stream: str, *, session: str | None = None, show_thoughts: bool = False) -> AsyncLiveStream:
        """Read a stream from its start, running or ended: one that was interrupted here, or that another began.

        `session`, where it runs in one.
        """
        live = AsyncLiveStream(self.stop)
        log = f"session:{session}" if session else f"stream:{stream}"
        self._channel.resume(live, stream, log, WatchOptions(show_thoughts))
        return live

    async def stop(self, stream: str) -> None:
        """Stop a stream; what it wrote stays."""
        await self._ask({"type": "stream.stop", "stream": stream}, repeat=True)

    async def approve_tool(self, stream: str, call: str, approved: bool = True, reason: str | None = None) -> None:
        """Let a tool call run that waits for a person, or deny it. Raises CONFLICT where somebody was first."""
        frame = {"type": "tool.approve", "stream": stream, "call": call, "approved": approved, "reason": reason}
        await self._ask(frame)

    async def answer_tool(self, stream: str, call: str, output: Any = None, *, error: str | None = None) -> None:
        """Tell what a tool gave that this program ran: its `output`, or an `error` in words."""
        outcome = {"output": output} if error is None else {"error": error}
        await self._ask({"type": "tool.result", "stream": stream, "call": call, **outcome})

    # Sessions -------------------------------------------------------------------------------------------------------

    async def create_session(self, title: str, **fields: Any) -> JsonObject:
        """Make a session: `model`, `slug`, `system_prompt`, `overlap`. Gives it, with its `id` and `log`."""
        return await self._rest.post("/v1/sessions", {"title": title, **fields})

    def subscribe(
        self,
        log: str,
        *,
        show_thoughts: bool = False,
        flush_ms: int | None = None,
        buffer_size: int | None = None,
        tail: int | None = None,
    ) -> AsyncWatching:
        """Watch a log (`session:<id or slug>`, `stream:<id>`): first a snapshot, then every event, in order and once."""
        watching = AsyncWatching()
        self._channel.watch(watching, log, WatchOptions(show_thoughts, flush_ms, buffer_size, tail))
        return watching

    async def send_message(
        self, session: str, content: str, *, reply: bool = True, **options: Unpack[AnswerOptions]
    ) -> Sent:
        """Post a message in a session and, unless `reply` is false, ask the model. Safe to repeat with the same `key`."""
        ok = await self._ask(self._settings.send_frame(session, content, reply, options), repeat=True)
        return Sent(ok["message"], ok.get("stream"))

    async def invite(
        self,
        session: str,
        email: str | None = None,
        role: Literal["editor", "viewer"] = "editor",
        *,
        expires_in: int | None = None,
        max_uses: int | None = None,
    ) -> Invited:
        """Invite somebody by e-mail, or whoever has the link."""
        frame = {"type": "session.invite", "session": session, "email": email, "role": role}
        ok = await self._ask({**frame, "expires_in": expires_in, "max_uses": max_uses})
        return Invited(ok["invitation"], ok["url"])

    async def set_presence(self, session: str, **doing: Any) -> None:
        """Tell the others of a session what one does: `status` ("active", "idle"), `typing`, `cursor` (any small JSON;
        None hides it). What is absent stays as it was. Watch the session first.
        """
        if unknown := sorted(set(doing) - {"status", "typing", "cursor"}):
            raise TypeError(f"Presence has no {unknown[0]!r}. It has status, typing and cursor.")
        await self._ask({"type": "presence.set", "session": session, **doing})

    async def mark_read(self, session: str, n: int) -> None:
        """Tell how far one has read: `n` of the last message seen."""
        await self._ask({"type": "message.read", "session": session, "n": n})

    # How it is done -------------------------------------------------------------------------------------------------

    @property
    def _channel(self) -> Channel:
        # Made in the loop that uses it first.
        if self._main is None:
            self._main = Channel(self._url, self._settings, self._events, main=True)
        return self._main

    async def _ask(self, frame: JsonObject, *, repeat: bool = False) -> JsonObject:
        return await self._channel.ask(frame, repeat=repeat)

    def _begin(self, request: StreamRequest) -> AsyncLiveStream:
        frame = self._settings.start_frame(request)
        live = AsyncLiveStream(self.stop)
        options = self._settings.watch_options(request)
        if self._settings.multiplexing:
            self._channel.begin(live, frame, options, lambda: None)
        else:
            alone = Channel(self._url, self._settings, self._events, main=False)
            self._extra.add(alone)
            alone.begin(live, frame, options, lambda: self._close_soon(alone))
        return live

    def _close_soon(self, alone: Channel) -> None:
        """The only stream of that socket is over."""
        if alone in self._extra:
            self._extra.discard(alone)
            task = asyncio.get_running_loop().create_task(alone.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
