"""One socket that stays: says hello, pairs commands with replies, notices silence, and comes back after a cut.

Frames of logs are handed on as they are; what they mean is `link.py`'s.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from hanzo_live.core.actions import Action, Connect, Disconnect, Send
from hanzo_live.core.backoff import Reconnect
from hanzo_live.core.closing import closing
from hanzo_live.core.pending import Command, PendingCommands
from hanzo_live.core.state import ConnectionState
from hanzo_live.core.timers import Timers
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.protocol.base import JsonObject

HELLO_TIMEOUT_S = 10.0
# How long after having asked for a sign of life.
GRACE_S = 8.0

IDLE = ConnectionState("idle")
LIVE = ConnectionState("live")


class Watcher(Protocol):
    """Who is told what happens to a connection, at once and in order."""

    def on_state(self, state: ConnectionState) -> None: ...
    def on_open(self) -> None:
        """Ready for commands: subscriptions are renewed now, before commands that waited are sent."""

    def on_frame(self, event: JsonObject) -> None: ...
    def on_error(self, error: HanzoLiveError) -> None: ...
    def on_reconnect(self, attempt: int) -> None: ...
    def on_reconnected(self) -> None: ...


class Connection:
    """The state of one client's connection. After each call, do what `take_actions` gives, and call `timers.run` when
    `timers.next` has come.

    `fresh_tokens`: each `opened` brings a new token, so that a refused one is worth one more try.
    """

    def __init__(
        self,
        watcher: Watcher,
        *,
        client: str,
        clock: Callable[[], float],
        random: Callable[[], float],
        reconnect: Reconnect | None = None,
        fresh_tokens: bool = False,
    ) -> None:
        self.state = IDLE
        self.welcome: JsonObject | None = None
        self.timers = Timers(clock)
        self._watcher = watcher
        self._client = client
        self._clock = clock
        self._random = random
        self._reconnect = reconnect or Reconnect()
        self._fresh_tokens = fresh_tokens
        self._fresh_token_tried = False
        self._actions: deque[Action] = deque()
        self._pending = PendingCommands()
        self._attempt = 0
        self._was_live = False
        self._said: HanzoLiveError | None = None
        self._not_before = 0.0

    @property
    def live(self) -> bool:
        return self.state.status == "live"

    def take_actions(self) -> list[Action]:
        """What to do now, in order. Each is given once."""
        actions = list(self._actions)
        self._actions.clear()
        return actions

    # Asked for ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, unless that is done or under way."""
        if self.state.status in {"idle", "offline", "ended"}:
            self._attempt = 0
            self._fresh_token_tried = False
            self._open()

    def retry_now(self) -> None:
        """Do not wait out the delay."""
        if self.state.status == "waiting":
            self.timers.unset("retry")
            self._open()
        else:
            self.start()

    def stop(self) -> None:
        """Close for good; commands on their way fail. `start` opens again."""
        self._drop_socket()
        self.timers.unset("retry")
        self._attempt = 0
        self._was_live = False
        self._pending.abandon(disconnected("The client was disconnected."))
        self._become(IDLE)

    def request(
        self,
        frame: JsonObject,
        *,
        ok: Callable[[JsonObject], None],
        failed: Callable[[HanzoLiveError], None],
        repeat: bool = False,
    ) -> None:
        """Send a command, now or as soon as the connection is live. `ok` is called before any later frame is looked at."""
        self.start()
        command = self._pending.add(frame, ok=ok, failed=failed, repeat=repeat)
        if self.live:
            self._transmit(command)

    # What happened to the socket ------------------------------------------------------------------------------------

    def opened(self, token: str | None) -> None:
        """The socket is open."""
        self.timers.set("hello", HELLO_TIMEOUT_S, lambda: self.lost(disconnected("The server did not answer in time.")))
        frame = {"type": "hello", "token": token, "client": self._client}
        self._transmit(self._pending.add(frame, ok=self._on_welcome, failed=self._on_hello_refused))

    def closed(self, code: int | None) -> None:
        """The server closed the socket, with this close code."""
        self.lost(*closing(code, self._said))

    def lost(self, error: HanzoLiveError, reconnect: bool = True) -> None:
        """The socket is of no more use, or could not be had."""
        self._drop_socket()
        self._pending.interrupt(disconnected("The connection was lost before the server answered."))
        if error.code == "UNAUTHENTICATED" and not reconnect and self._fresh_tokens and not self._fresh_token_tried:
            self._fresh_token_tried = True
            self._open()
            return
        self._watcher.on_error(error)
        if not reconnect:
            self._give_up(ConnectionState("ended", error=error))
        elif not self._reconnect.enabled or self._attempt >= self._reconnect.max_attempts:
            self._give_up(ConnectionState("offline", error=error))
        else:
            self._retry_later()

    def receive(self, text: str | bytes) -> None:
        """One frame came. What is no frame of this protocol is ignored."""
        self._heard()
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(frame, dict):
            return
        kind, log = frame.get("type"), frame.get("log")
        if kind in {"ok", "welcome", "pong"}:
            if (command := self._pending.take(frame.get("id"))) is not None:
                command.ok(frame)
        elif kind == "error" and not isinstance(log, str):
            self._refused(frame)
        elif kind == "goaway":
            self._leave_soon(float(frame.get("reconnect_after_ms") or 0) / 1000)
        elif isinstance(kind, str) and isinstance(log, str):
            self._watcher.on_frame(frame)

    # The life of one socket -----------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._said = None
        self._actions.append(Connect())
        self._become(ConnectionState("connecting", self._attempt))
        if self._attempt:
            self._watcher.on_reconnect(self._attempt)

    def _on_welcome(self, welcome: JsonObject) -> None:
        self.timers.unset("hello")
        self.welcome = welcome
        returned, self._was_live = self._was_live, True
        self._attempt = 0
        self._not_before = 0.0
        self._fresh_token_tried = False
        self._become(LIVE)
        self._heard()
        self._watcher.on_open()
        for command in self._pending.unsent():
            self._transmit(command)
        if returned:
            self._watcher.on_reconnected()

    def _on_hello_refused(self, error: HanzoLiveError) -> None:
        # A socket that is lost in the meantime ends its hello in the same way; that is told by whoever lost it.
        if error.code != "DISCONNECTED":
            self.lost(error, reconnect=error.code not in {"UNAUTHENTICATED", "FORBIDDEN"})

    def _transmit(self, command: Command) -> None:
        text = json.dumps(command.frame, ensure_ascii=False, separators=(",", ":"))
        limit = self._limit("max_frame_bytes")
        if limit and len(text) * 4 > limit and len(text.encode(errors="replace")) > limit:
            self._pending.take(command.id)
            words = f"This is larger than the {int(limit)} bytes that the server takes at once. Send less."
            command.failed(HanzoLiveError("TOO_LARGE", words))
            return
        command.sent = True
        self._actions.append(Send(text))

    def _limit(self, name: str) -> float:
        limits: Any = (self.welcome or {}).get("limits") or {}
        return float(limits.get(name) or 0)

    def _refused(self, body: JsonObject) -> None:
        error = HanzoLiveError.from_wire(body)
        command = self._pending.take(body.get("id"))
        if command is not None:
            command.failed(error)
            return
        self._said = error
        if error.retry_after is not None:
            self._not_before = self._clock() + error.retry_after
        self._watcher.on_error(error)

    def _heard(self) -> None:
        """Anything that arrives proves that the other side is there."""
        if self.live and (interval := self._limit("heartbeat_s")):
            self.timers.set("silence", interval, self._probe)

    def _probe(self) -> None:
        self.timers.set("silence", GRACE_S, lambda: self.lost(disconnected("The server fell silent.")))
        self._transmit(self._pending.add({"type": "ping"}))

    def _leave_soon(self, after: float) -> None:
        """The server drains: move to another one when it says so, spread over the usual delay."""
        self._not_before = self._clock() + after
        self.timers.set("goaway", after + self._reconnect.delay(1, self._random), self._leave)

    def _leave(self) -> None:
        self._not_before = 0.0
        self._drop_socket()
        self._pending.interrupt(disconnected("The server restarts."))
        self._open()

    def _retry_later(self) -> None:
        self._attempt += 1
        wait = max(0.0, self._not_before - self._clock()) + self._reconnect.delay(self._attempt, self._random)
        self.timers.set("retry", wait, self._open)
        self._become(ConnectionState("waiting", self._attempt))

    def _give_up(self, state: ConnectionState) -> None:
        assert state.error is not None
        self._pending.abandon(state.error)
        self._become(state)

    def _drop_socket(self) -> None:
        for name in ("hello", "silence", "goaway"):
            self.timers.unset(name)
        # What was to be sent on that socket is not for the next.
        self._actions = deque(action for action in self._actions if isinstance(action, Disconnect))
        self._actions.append(Disconnect())

    def _become(self, state: ConnectionState) -> None:
        self.state = state
        self._watcher.on_state(state)
