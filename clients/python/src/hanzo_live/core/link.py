"""A connection and all logs that are watched over it: each once, however many are interested in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hanzo_live.core.backoff import Reconnect
from hanzo_live.core.connection import Connection
from hanzo_live.core.state import ConnectionState
from hanzo_live.core.subscription import Sink, Subscription, WatchOptions
from hanzo_live.errors import HanzoLiveError
from hanzo_live.protocol.base import JsonObject


class LinkWatcher(Protocol):
    """Who is told how the connection fares."""

    def on_state(self, state: ConnectionState) -> None: ...
    def on_error(self, error: HanzoLiveError) -> None: ...
    def on_reconnect(self, attempt: int) -> None: ...
    def on_reconnected(self) -> None: ...


class Link:
    """See `Connection` for how it is driven."""

    def __init__(
        self,
        watcher: LinkWatcher,
        *,
        client: str,
        clock: Callable[[], float],
        random: Callable[[], float],
        reconnect: Reconnect | None = None,
        fresh_tokens: bool = False,
    ) -> None:
        self._watcher = watcher
        self._all: list[Subscription] = []
        self.connection = Connection(
            self, client=client, clock=clock, random=random, reconnect=reconnect, fresh_tokens=fresh_tokens
        )

    def watch(self, log: str, sink: Sink, options: WatchOptions) -> Callable[[], None]:
        """Watch `log`; the result stops that. The first thing a sink gets is a snapshot."""
        subscription = self._find(log)
        if subscription is None:
            subscription = self._create(log, options)
        else:
            # A newcomer needs the whole: everybody gets a snapshot again, and nobody less than they asked for.
            subscription.options = subscription.options.widest(options)
            subscription.forget()
        subscription.sinks.append(sink)
        self.connection.start()
        subscription.renew()
        return self._leaver(subscription, sink)

    def start_stream(
        self,
        frame: JsonObject,
        sink: Sink,
        *,
        started: Callable[[JsonObject, Callable[[], None]], None],
        failed: Callable[[HanzoLiveError], None],
        options: WatchOptions,
    ) -> None:
        """Send `stream.start`, which subscribes us: `sink` gets the log's events from the start. `started` is called
        before them with the `ok`, and with what stops watching.
        """

        def ok(reply: JsonObject) -> None:
            known = self._find(reply["log"])
            subscription = known or self._create(reply["log"], options)
            subscription.sinks.append(sink)
            started(reply, self._leaver(subscription, sink))
            if known is not None:
                if options.show_thoughts and not known.options.show_thoughts:
                    known.options = known.options.widest(options)
                    known.renew()
                known.settle()
            elif isinstance(reply.get("epoch"), str) and isinstance(reply.get("seq"), int):
                subscription.adopt(reply)
            else:
                subscription.renew()

        self.connection.request(frame, ok=ok, failed=failed, repeat=True)

    def hold(self, log: str, sink: Sink, held: bool) -> None:
        """`sink` wants no more events of `log` for now, or wants them again."""
        subscription = self._find(log)
        if subscription is not None and sink in subscription.sinks:
            subscription.hold(sink, held)

    def close(self, error: HanzoLiveError) -> None:
        """The client is taken down: every sink hears why."""
        for subscription in list(self._all):
            subscription.end(error)
        self.connection.stop()

    # What the connection tells --------------------------------------------------------------------------------------

    def on_state(self, state: ConnectionState) -> None:
        if state.status != "live":
            for subscription in self._all:
                subscription.suspend()
        self._watcher.on_state(state)

    def on_open(self) -> None:
        for subscription in list(self._all):
            subscription.renew()

    def on_frame(self, event: JsonObject) -> None:
        for subscription in list(self._all):
            if subscription.log == event["log"]:
                subscription.take(event)

    def on_error(self, error: HanzoLiveError) -> None:
        self._watcher.on_error(error)

    def on_reconnect(self, attempt: int) -> None:
        self._watcher.on_reconnect(attempt)

    def on_reconnected(self) -> None:
        self._watcher.on_reconnected()

    def _find(self, log: str) -> Subscription | None:
        return next((each for each in self._all if log in (each.log, each.asked)), None)

    def _create(self, log: str, options: WatchOptions) -> Subscription:
        subscription = Subscription(log, options, self.connection, self._all.remove)
        self._all.append(subscription)
        return subscription

    def _leaver(self, subscription: Subscription, sink: Sink) -> Callable[[], None]:
        def leave() -> None:
            if sink in subscription.sinks:
                subscription.leave(sink)
            if not subscription.sinks and subscription in self._all:
                self._all.remove(subscription)
                subscription.close()
                if self.connection.live:
                    frame = {"type": "unsubscribe", "log": subscription.log}
                    # Refused or lost: there is nothing left to leave.
                    self.connection.request(frame, ok=lambda _: None, failed=lambda _: None)

        return leave
