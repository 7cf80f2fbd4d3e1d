"""One log that is being watched, through gaps, reconnects and changes of epoch.

Sinks get each event once and in order, and a snapshot whenever what they had is void.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hanzo_live.core.connection import Connection
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.position import Position

RETRY_S = 1.0
# Gaps in a row, with nothing applied between them, after which a snapshot is asked for instead of a replay.
FUTILE_GAPS = 2

_ENDINGS = {"removed": "You are no longer a member of this session.", "deleted": "This session was deleted."}


class Sink(Protocol):
    """Who wants a log's events."""

    def event(self, event: JsonObject) -> None: ...
    def ended(self, error: HanzoLiveError) -> None:
        """No event will follow: refused, taken away, or the client was disconnected."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """As `subscribe` has them; None is the server's default."""

    show_thoughts: bool = False
    flush_ms: int | None = None
    buffer_size: int | None = None
    tail: int | None = None

    def fields(self) -> JsonObject:
        given = {"flush_ms": self.flush_ms, "buffer_size": self.buffer_size, "tail": self.tail}
        return {"show_thoughts": self.show_thoughts, **{name: v for name, v in given.items() if v is not None}}

    def widest(self, other: WatchOptions) -> WatchOptions:
        """Options with which neither gets less than was asked for."""
        return WatchOptions(
            self.show_thoughts or other.show_thoughts,
            _least(self.flush_ms, other.flush_ms),
            _least(self.buffer_size, other.buffer_size),
            None if self.tail is None or other.tail is None else max(self.tail, other.tail),
        )


def _least(one: int | None, other: int | None) -> int | None:
    """The sooner of two; none given is at once."""
    return None if one is None or other is None else min(one, other)


class Subscription:
    """`asked` is the name under which it was asked for, `log` its own, once the server told it."""

    def __init__(
        self,
        asked: str,
        options: WatchOptions,
        connection: Connection,
        on_ended: Callable[[Subscription], None],
    ) -> None:
        self.asked = self.log = asked
        self.options = options
        self.sinks: list[Sink] = []
        self.position = Position()
        self._connection = connection
        self._on_ended = on_ended
        self._request = 0
        self._futile = 0
        self._closed = False
        # Those who would rather have no more events for now.
        self._waiting: list[Sink] = []
        self._resting = False

    def renew(self) -> None:
        """Ask for the log from where we are; until the server answers, its frames are dropped."""
        self._resting = self._unwanted
        if self._closed or self._resting or not self._connection.live:
            return
        self._connection.timers.unset(self._timer)
        position = self.position.resubscribe()
        self._request += 1
        request = self._request

        def ok(reply: JsonObject) -> None:
            if request == self._request and not self._closed:
                self.adopt(reply)

        def failed(error: HanzoLiveError) -> None:
            if request == self._request and not self._closed:
                self._refused(error)

        frame = {"type": "subscribe", "log": self.asked, **position, **self.options.fields()}
        self._connection.request(frame, ok=ok, failed=failed)

    def hold(self, sink: Sink, held: bool) -> None:
        """`sink` wants no more events for now, or wants them again: all that it has not had, in order."""
        if sink in self._waiting:
            self._waiting.remove(sink)
        if held:
            self._waiting.append(sink)
        self.settle()

    def leave(self, sink: Sink) -> None:
        self.sinks.remove(sink)
        if sink in self._waiting:
            self._waiting.remove(sink)
        self.settle()

    def settle(self) -> None:
        """While nobody wants events the server sends none; afterwards it goes on from where we are."""
        resting = self._resting
        if self._closed or not self.sinks or self._unwanted == resting:
            return
        self.renew()
        if resting or not self._connection.live:
            return
        self.suspend()
        # Refused or lost: nothing comes in either case.
        frame = {"type": "unsubscribe", "log": self.log}
        self._connection.request(frame, ok=lambda _: None, failed=lambda _: None)

    def adopt(self, ok: JsonObject) -> None:
        """The `ok` of `subscribe`, or of the `stream.start` that subscribed us."""
        self.log = ok["log"]
        self.position.subscribed(ok)

    def suspend(self) -> None:
        """The connection is gone."""
        self._request += 1
        self._connection.timers.unset(self._timer)
        self.position.resubscribe()

    def forget(self) -> None:
        """What is known of the position is of no use: the next `renew` asks for a snapshot."""
        self.position = Position()

    def take(self, event: JsonObject) -> None:
        """A frame of this log."""
        if self._closed:
            return
        verdict = self.position.apply(event)
        if verdict == "gap":
            self._futile += 1
            if self._futile > FUTILE_GAPS:
                self.forget()
            self.renew()
        if verdict != "apply":
            return
        self._futile = 0
        for sink in list(self.sinks):
            sink.event(event)
        if event["type"] != "unsubscribed":
            return
        if event.get("reason") == "archived":
            # It can still be watched, and says when it is opened again.
            self.renew()
        else:
            self.end(HanzoLiveError("FORBIDDEN", _ENDINGS.get(event["reason"], "Access to this log has ended.")))

    def close(self) -> None:
        """No more frames are wanted. Says nothing to the server."""
        self._closed = True
        self._connection.timers.unset(self._timer)

    def end(self, error: HanzoLiveError) -> None:
        if self._closed:
            return
        self.close()
        self._on_ended(self)
        for sink in list(self.sinks):
            sink.ended(error)

    def _refused(self, error: HanzoLiveError) -> None:
        # A lost connection asks again by itself when it is back.
        if error.code == "DISCONNECTED":
            return
        if not error.retryable:
            self.end(error)
            return
        self._connection.timers.set(self._timer, max(RETRY_S, error.retry_after or 0.0), self.renew)

    @property
    def _unwanted(self) -> bool:
        return bool(self.sinks) and all(sink in self._waiting for sink in self.sinks)

    @property
    def _timer(self) -> str:
        return f"subscribe {self.asked} {id(self)}"
