"""A transport with the answers that are read over it: how an answer hears of its log, its end and a lost connection."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hanzo_live.core.state import ConnectionState
from hanzo_live.core.subscription import Sink, WatchOptions
from hanzo_live.emitter import Emitter
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.options import Settings
from hanzo_live.protocol.base import JsonObject
from hanzo_live.results import StreamCompleted, StreamFailed, StreamStarted
from hanzo_live.stream import AsyncLiveStream, Bell
from hanzo_live.transport import Transport
from hanzo_live.watching import AsyncWatching


class Channel:
    """One socket of a client. `main`: the one whose fate the client's listeners hear of."""

    def __init__(self, url: str, settings: Settings, events: Emitter, *, main: bool) -> None:
        self._settings = settings
        self._events = events
        self._main = main
        self._readings: set[_Reading] = set()
        self._changed = Bell()
        self.transport = Transport(url, settings, self)

    @property
    def state(self) -> ConnectionState:
        return self.transport.link.connection.state

    @property
    def in_use(self) -> bool:
        return bool(self._readings)

    async def ready(self) -> None:
        """Return once live. Raises HanzoLiveError where it will not be."""
        with self.transport.turn() as link:
            link.connection.start()
        while self.state.status != "live":
            if self.state.error is not None:
                raise self.state.error
            if self.state.status == "idle":
                raise disconnected("The client was disconnected.")
            await self._changed.heard()

    async def ask(self, frame: JsonObject, *, repeat: bool = False) -> JsonObject:
        """Send a command; its `ok`. Raises HanzoLiveError."""
        answered = Bell()
        replies: list[JsonObject | HanzoLiveError] = []

        def keep(reply: JsonObject | HanzoLiveError) -> None:
            replies.append(reply)
            answered.ring()

        with self.transport.turn() as link:
            link.connection.request(frame, ok=keep, failed=keep, repeat=repeat)
        while not replies:
            await answered.heard()
        if isinstance(replies[0], HanzoLiveError):
            raise replies[0]
        return replies[0]

    def begin(
        self, live: AsyncLiveStream, frame: JsonObject, options: WatchOptions, on_over: Callable[[], None]
    ) -> None:
        """Start the stream of `frame`, and read it into `live`."""
        reading = self._reading(live, on_over)

        def started(ok: JsonObject, leave: Callable[[], None]) -> None:
            reading.leave = partial(self._in_turn, leave)
            if live.begin(ok["stream"], reading.finish, self._holder(ok["log"], reading)):
                stop = {"type": "stream.stop", "stream": ok["stream"]}
                link.connection.request(stop, ok=lambda _: None, failed=lambda _: None, repeat=True)

        with self.transport.turn() as link:
            link.start_stream(frame, reading, started=started, failed=reading.ended, options=options)

    def resume(self, live: AsyncLiveStream, stream: str, log: str, options: WatchOptions) -> None:
        """Read a stream that is there into `live`."""
        reading = self._reading(live, lambda: None)
        live.begin(stream, reading.finish, self._holder(log, reading))
        with self.transport.turn() as link:
            reading.leave = partial(self._in_turn, link.watch(log, reading, options))

    def watch(self, watching: AsyncWatching, log: str, options: WatchOptions) -> None:
        with self.transport.turn() as link:
            leave = partial(self._in_turn, link.watch(log, watching, options))
            watching.begin(leave, self._holder(log, watching))

    async def close(self) -> None:
        """Close the socket for good; whoever reads hears of it."""
        await self.transport.close(disconnected("The client was disconnected."))

    def _reading(self, live: AsyncLiveStream, on_over: Callable[[], None]) -> _Reading:
        def over() -> None:
            self._readings.discard(reading)
            on_over()

        reading = _Reading(live, self._events, over)
        self._readings.add(reading)
        return reading

    def _holder(self, log: str, sink: Sink) -> Callable[[bool], None]:
        """What tells the server to send no more of `log` to `sink` for now, or to go on."""

        def hold(held: bool) -> None:
            with self.transport.turn() as link:
                link.hold(log, sink, held)

        return hold

    def _in_turn(self, call: Callable[[], None]) -> None:
        with self.transport.turn():
            call()

    # What the link tells --------------------------------------------------------------------------------------------

    def on_state(self, state: ConnectionState) -> None:
        for reading in list(self._readings):
            if state.error is not None:
                reading.ended(state.error)
            elif not self._settings.resume_on_reconnect and state.status != "live" and reading.begun:
                reading.ended(disconnected("The connection was lost while the answer was read."))
        self._changed.ring()
        if self._main:
            self._events.emit("connection", state)

    def on_error(self, error: HanzoLiveError) -> None:
        self._events.emit("error", error)

    def on_reconnect(self, attempt: int) -> None:
        if self._main:
            self._events.emit("reconnect", attempt)

    def on_reconnected(self) -> None:
        if self._main:
            self._events.emit("reconnected")


class _Reading:
    """One answer that is read: the sink of its log."""

    def __init__(self, live: AsyncLiveStream, events: Emitter, on_over: Callable[[], None]) -> None:
        self._live = live
        self._events = events
        self._on_over = on_over
        self.leave: Callable[[], None] | None = None

    @property
    def begun(self) -> bool:
        return self._live.id is not None

    def event(self, event: JsonObject) -> None:
        if self._live.over:
            return
        self._live.event(event)
        if event["type"] == "stream_start" and event["stream"] == self._live.id:
            user = event.get("user") or {}
            self._events.emit("stream_start", StreamStarted(event["stream"], event["model"], user.get("id")))
        if self._live.over:
            self._announce_end()
            self.finish()

    def ended(self, error: HanzoLiveError) -> None:
        if not self._live.over:
            self._live.ended(error)
            self._announce_end()
        self.finish()

    def finish(self) -> None:
        """No more is read."""
        if self.leave is not None:
            leave, self.leave = self.leave, None
            leave()
        self._on_over()

    def _announce_end(self) -> None:
        answer = self._live.answer
        if (error := answer.error) is not None:
            self._events.emit("stream_error", StreamFailed(answer.id, error, answer.model))
            return
        end = answer.events[-1]
        speed = end.get("tokens_per_second") or 0.0
        completed = StreamCompleted(end["stream"], end["duration_ms"], end["usage"]["completion_tokens"], speed)
        self._events.emit("stream_complete", completed)
