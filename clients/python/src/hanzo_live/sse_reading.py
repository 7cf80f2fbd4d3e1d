"""One answer over server-sent events without I/O: which request is next, what its lines say, and how long to wait.

`sse.py` and `async_sse.py` make the requests. The key in the body keeps a second one from asking again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from hanzo_live.core.answer import Answer, is_terminal
from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.options import Settings
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import EVENTS

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """`reads`: its answer is an event stream, else JSON for `Reading.started`."""

    method: str
    path: str
    reads: bool
    json: JsonObject | None = None
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


class Reading:
    """`answer` is what came so far; each event is given once."""

    def __init__(self, settings: Settings, frame: JsonObject) -> None:
        self.answer = Answer()
        self._settings = settings
        self._body = {name: value for name, value in frame.items() if name != "type"}
        self._last_id = ""
        self._attempt = 0
        self._told = 0
        self._id = ""
        self._data: list[str] = []

    @property
    def over(self) -> bool:
        """The last event was given."""
        events = self.answer.events
        return self._told > 0 and is_terminal(events[self._told - 1])

    def request(self) -> Request:
        """Start the answer, or go on after the last event had."""
        self._data = []
        if self.answer.id is None:
            # A session's log has other answers' events as well: there, the server has to tell which one is ours.
            reads = self._body.get("session") is None
            accept = EVENT_STREAM if reads else "application/json"
            return Request("POST", "/v1/streams", reads, self._body, headers={"Accept": accept})
        resumed = {"Last-Event-ID": self._last_id} if self._last_id else {}
        thoughts = {"show_thoughts": "true"} if self._body.get("show_thoughts") else {}
        path = f"/v1/streams/{self.answer.id}/events"
        return Request("GET", path, True, params=thoughts, headers={"Accept": EVENT_STREAM, **resumed})

    def started(self, body: JsonObject) -> None:
        """What was answered to a request that does not read."""
        self.answer.begin(body["stream"])

    def line(self, line: str) -> Iterator[JsonObject]:
        """The events that a line completes; what is not JSON with a known type is passed over, comments as well."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self._id = value
        elif name == "data":
            self._data.append(value)
        elif line == "" and self._data:
            event = json.loads("\n".join(self._data))
            self._data = []
            self._last_id = self._id
            self._attempt = 0
            if isinstance(event, dict) and event.get("type") in EVENTS and "log" in event:
                yield from self._take(event)

    def wait(self, error: HanzoLiveError) -> float:
        """Seconds until the next attempt. Raises where there is none."""
        reconnect = self._settings.reconnect
        resumes = self._settings.resume_on_reconnect or self.answer.id is None
        if not error.retryable or not reconnect.enabled or not resumes or self._attempt >= reconnect.max_attempts:
            self.answer.fail(error)
            raise self.answer.failure or error
        self._attempt += 1
        return (error.retry_after or 0.0) + reconnect.delay(self._attempt, random.random)

    def _take(self, event: JsonObject) -> Iterator[JsonObject]:
        if self.answer.id is None:
            # Outside of a session each answer has its own log. Its first event may be a snapshot, which names no stream.
            self.answer.begin(str(event["log"]).removeprefix("stream:"))
        self.answer.take(event)
        events = self.answer.events
        while self._told < len(events) and not self.over:
            self._told += 1
            yield events[self._told - 1]


def cut_off() -> HanzoLiveError:
    """The response ended, and the answer has not."""
    return disconnected("The answer was cut off before its end.")
