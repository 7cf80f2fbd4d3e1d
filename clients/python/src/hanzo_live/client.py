"""The client for everybody: plain calls and loops, and the same for asyncio, over one connection.

A thread in the background holds the connection; what it does there is `AsyncHanzoLiveClient`.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Literal, Protocol, TypeVar

from typing_extensions import Self, Unpack

from hanzo_live.addresses import DEFAULT_URL
from hanzo_live.async_client import AsyncHanzoLiveClient
from hanzo_live.background import BackgroundLoop
from hanzo_live.core.state import ConnectionState
from hanzo_live.emitter import ClientEvent, Listener
from hanzo_live.options import AnswerOptions, ClientOptions, StreamRequest
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import AnyEvent
from hanzo_live.protocol.fold import State, StreamState
from hanzo_live.results import Invited, Sent
from hanzo_live.stream import AsyncLiveStream
from hanzo_live.watching import AsyncWatching

T = TypeVar("T", covariant=True)


class _Steps(Protocol[T]):
    """What is iterated in the background."""

    async def __anext__(self) -> T: ...


class HanzoLiveClient:
    """A client of the Hanzo Live server at `url` (`ws://host:port`; `http` is the same), for any thread.

    It connects when it is first used, or by `connect` or `with`. Calls raise HanzoLiveError. Listeners are called in the
    background's thread.
    """

    def __init__(self, url: str = DEFAULT_URL, **options: Unpack[ClientOptions]) -> None:
        self._client = AsyncHanzoLiveClient(url, **options)
        self._background = BackgroundLoop()
        # A client that is dropped without `disconnect` leaves no thread and no socket behind.
        self._finalizer = weakref.finalize(self, self._background.stop)

    @property
    def connection_state(self) -> ConnectionState:
        return self._client.connection_state

    @property
    def user(self) -> JsonObject | None:
        """Who the server takes us for: {id, name, avatar, anonymous}; None before the first connection."""
        return self._client.user

    def connect(self) -> None:
        """Return once connected. Raises when attempts are spent or the server refused."""
        self._background.run(self._client.connect())

    def wait_for_reconnect(self) -> None:
        """Return when the connection is back. Raises when it will not come back by itself."""
        self._background.run(self._client.wait_for_reconnect())

    def disconnect(self) -> None:
        """Close everything; answers on the server go on. Whatever is being read ends with STREAM_INTERRUPTED."""
        if self._background.started:
            self._background.run(self._client.disconnect())

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    async def __aenter__(self) -> Self:
        await self._background.run_async(self._client.connect())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._background.run_async(self._client.disconnect())

    def on(self, event: ClientEvent, listener: Listener) -> Callable[[], None]:
        """As `AsyncHanzoLiveClient.on`; listeners are called in the background's thread."""
        return self._client.on(event, listener)

    # Answers --------------------------------------------------------------------------------------------------------

    def stream_chat(self, **request: Unpack[StreamRequest]) -> Iterator[str]:
        """Ask a model; the answer's text as it comes. Leaving the loop early reads no more; the answer goes on."""
        stream = self.stream(**request)
        try:
            yield from stream.tokens()
        finally:
            stream.close()

    async def stream_chat_async(self, **request: Unpack[StreamRequest]) -> AsyncIterator[str]:
        """As `stream_chat`, for asyncio."""
        stream = await self._background.run_async(_called(lambda: self._client.stream(**request)))
        live = LiveStream(stream, self._background)
        try:
            async for text in live.tokens():
                yield text
        finally:
            live.close()

    def stream(self, **request: Unpack[StreamRequest]) -> LiveStream:
        """Ask a model, at once; the result iterates the answer's events, with `for` and with `async for`."""
        return LiveStream(self._background.call(lambda: self._client.stream(**request)), self._background)

    def resume(self, stream: str, *, session: str | None = None, show_thoughts: bool = False) -> LiveStream:
        """Read a stream from its start, running or ended: one that was interrupted here, or that another began."""
        make = self._background.call
        live = make(lambda: self._client.resume(stream, session=session, show_thoughts=show_thoughts))
        return LiveStream(live, self._background)

    def stop(self, stream: str) -> None:
        """Stop a stream; what it wrote stays."""
        self._background.run(self._client.stop(stream))

    def approve_tool(self, stream: str, call: str, approved: bool = True, reason: str | None = None) -> None:
        """Let a tool call run that waits for a person, or deny it. Raises CONFLICT where somebody was first."""
        self._background.run(self._client.approve_tool(stream, call, approved, reason))

    def answer_tool(self, stream: str, call: str, output: Any = None, *, error: str | None = None) -> None:
        """Tell what a tool gave that this program ran: its `output`, or an `error` in words."""
        self._background.run(self._client.answer_tool(stream, call, output, error=error))

    # Sessions -------------------------------------------------------------------------------------------------------

    def create_session(self, title: str, **fields: Any) -> JsonObject:
        """Make a session: `model`, `slug`, `system_prompt`, `overlap`. Gives it, with its `id` and `log`."""
        return self._background.run(self._client.create_session(title, **fields))

    def subscribe(
        self,
        log: str,
        *,
        show_thoughts: bool = False,
        flush_ms: int | None = None,
        buffer_size: int | None = None,
        tail: int | None = None,
    ) -> Watching:
        """Watch a log (`session:<id or slug>`, `stream:<id>`): first a snapshot, then every event, in order and once."""

        def subscribe() -> AsyncWatching:
            return self._client.subscribe(
                log, show_thoughts=show_thoughts, flush_ms=flush_ms, buffer_size=buffer_size, tail=tail
            )

        return Watching(self._background.call(subscribe), self._background)

    def send_message(self, session: str, content: str, *, reply: bool = True, **options: Unpack[AnswerOptions]) -> Sent:
        """Post a message in a session and, unless `reply` is false, ask the model. Safe to repeat with the same `key`."""
        return self._background.run(self._client.send_message(session, content, reply=reply, **options))

    def invite(
        self,
        session: str,
        email: str | None = None,
        role: Literal["editor", "viewer"] = "editor",
        *,
        expires_in: int | None = None,
        max_uses: int | None = None,
    ) -> Invited:
        """Invite somebody by e-mail, or whoever has the link."""
        invite = self._client.invite(session, email, role, expires_in=expires_in, max_uses=max_uses)
        return self._background.run(invite)

    def set_presence(self, session: str, **doing: Any) -> None:
        """Tell the others of a session what one does: `status` ("active", "idle"), `typing`, `cursor`."""
        self._background.run(self._client.set_presence(session, **doing))

    def mark_read(self, session: str, n: int) -> None:
        """Tell how far one has read: `n` of the last message seen."""
        self._background.run(self._client.mark_read(session, n))


class LiveStream:
    """One answer as it is written: iterates its events, the terminal one included, with `for` and with `async for`."""

    def __init__(self, stream: AsyncLiveStream, background: BackgroundLoop) -> None:
        self._stream = stream
        self._background = background

    @property
    def id(self) -> str | None:
        """The stream's id; None until the server has given it one."""
        return self._stream.id

    @property
    def state(self) -> StreamState:
        """Everything known of it so far."""
        return self._stream.state

    @property
    def over(self) -> bool:
        return self._stream.over

    def events(self) -> Loop[AnyEvent]:
        """Every event from the start. Raises HanzoLiveError only where the terminal event cannot be had."""
        return Loop(self._stream.events(), self._background)

    def tokens(self) -> Loop[str]:
        """The text as it comes. Raises HanzoLiveError where the answer fails, or begins again with another text."""
        return Loop(self._stream.tokens(), self._background)

    def __iter__(self) -> Iterator[AnyEvent]:
        return self.events()

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        return self.events()

    def text(self) -> str:
        """The whole text, once it is whole. Raises HanzoLiveError, which has the text so far."""
        return self._background.run(self._stream.text())

    def stop(self) -> None:
        """End the answer; what was written so far stays. Returns when the server has taken it."""
        self._background.run(self._stream.stop())

    def close(self) -> None:
        """Read no more. The answer itself goes on; see `stop`."""
        if self._background.started:
            self._background.call(self._stream.close)


class Watching:
    """A log that is watched: iterates its events, with `for` and with `async for`. See `AsyncWatching`."""

    def __init__(self, watching: AsyncWatching, background: BackgroundLoop) -> None:
        self._watching = watching
        self._background = background

    @property
    def state(self) -> State:
        """What the events so far amount to: session, members, messages and streams."""
        return self._watching.state

    @property
    def present(self) -> dict[str, JsonObject]:
        """Who is here, by id, as far as the server lists them."""
        return self._watching.present

    def __iter__(self) -> Iterator[AnyEvent]:
        return Loop(self._watching, self._background)

    def __aiter__(self) -> AsyncIterator[AnyEvent]:
        return Loop(self._watching, self._background)

    def close(self) -> None:
        """Watch no more."""
        if self._background.started:
            self._background.call(self._watching.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Loop(Iterator[T], AsyncIterator[T]):
    """Steps that are made in the background, for a loop of either kind."""

    def __init__(self, steps: _Steps[T], background: BackgroundLoop) -> None:
        self._steps = steps
        self._background = background

    def __iter__(self) -> Loop[T]:
        return self

    def __aiter__(self) -> Loop[T]:
        return self

    def __next__(self) -> T:
        # StopAsyncIteration would leave a `for` loop as an error.
        found = self._background.run(_step(self._steps))
        if not found:
            raise StopIteration
        return found[0]

    async def __anext__(self) -> T:
        found = await self._background.run_async(_step(self._steps))
        if not found:
            raise StopAsyncIteration
        return found[0]


async def _step(steps: _Steps[T]) -> tuple[T, ...]:
    """The next one alone, or nothing."""
    try:
        return (await steps.__anext__(),)
    except StopAsyncIteration:
        return ()


async def _called(work: Callable[[], AsyncLiveStream]) -> AsyncLiveStream:
    return work()
