"""A client over server-sent events, for where sockets do not get through: one request an answer, resumed after cuts."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import httpx
from typing_extensions import Self, Unpack

from hanzo_live.addresses import DEFAULT_URL, base_url, is_loopback
from hanzo_live.core.answer import Answer, TextReader, is_terminal
from hanzo_live.errors import HanzoLiveError
from hanzo_live.options import ClientOptions, Settings, StreamRequest
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import EVENTS, AnyEvent
from hanzo_live.rest import error_of, unreachable
from hanzo_live.stream import event_of

# The server sends a comment every 15 s.
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class HanzoLiveSSE:
    """Answers of the server at `url` by server-sent events. `reconnect` and `token` are as `HanzoLiveClient` has them.

    One object serves many threads. Calls raise HanzoLiveError.
    """

    def __init__(self, url: str = DEFAULT_URL, **options: Unpack[ClientOptions]) -> None:
        self._settings = Settings.of(options)
        self._base = base_url(url)
        self._http = httpx.Client(base_url=self._base, timeout=TIMEOUT, trust_env=not is_loopback(self._base))

    def stream_chat(self, **request: Unpack[StreamRequest]) -> Iterator[str]:
        """Ask a model; the answer's text as it comes."""
        text = TextReader()
        reading = _Reading(self._http, self._base, self._settings, self._settings.start_frame(request))
        with closing(reading.events()) as events:
            for event in events:
                if event["type"] == "error":
                    raise reading.answer.error or HanzoLiveError.from_wire(event)
                if piece := text.take(event):
                    yield piece

    def stream(self, **request: Unpack[StreamRequest]) -> Iterator[AnyEvent]:
        """Ask a model; the answer's events as they come, the terminal one included."""
        reading = _Reading(self._http, self._base, self._settings, self._settings.start_frame(request))
        with closing(reading.events()) as events:
            for event in events:
                yield event_of(event)

    def stop(self, stream: str) -> None:
        """Stop a stream; what it wrote stays."""
        try:
            response = self._http.post(f"/v1/streams/{stream}/stop", headers=_headers(self._settings))
        except httpx.HTTPError as error:
            raise unreachable(error, self._base) from error
        if response.is_error:
            raise error_of(response)

    def close(self) -> None:
        """Close what is kept open for the next request."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Reading:
    """One answer, over as many requests as it takes. The key in `frame` keeps a second request from asking again."""

    def __init__(self, http: httpx.Client, base: str, settings: Settings, frame: JsonObject) -> None:
        self.answer = Answer()
        self._http = http
        self._base = base
        self._settings = settings
        self._body = {name: value for name, value in frame.items() if name != "type"}
        self._last_id: str | None = None
        self._attempt = 0

    def events(self) -> Generator[JsonObject, None, None]:
        """Raises HanzoLiveError where the answer cannot be started, or not be read to its end."""
        told = 0
        while True:
            try:
                for event in self._request():
                    self._take(event)
                    for each in self.answer.events[told:]:
                        told += 1
                        yield each
                        if is_terminal(each):
                            return
            except httpx.HTTPError as error:
                self._wait(unreachable(error, self._base))
            else:
                self._wait(HanzoLiveError("DISCONNECTED", "The answer was cut off before its end.", retryable=True))

    def _take(self, event: JsonObject) -> None:
        if self.answer.id is None and (stream := event.get("stream")):
            self.answer.begin(stream)
        self.answer.take(event)

    def _request(self) -> Iterator[JsonObject]:
        """Start the answer, or go on after the last event had."""
        headers = {"Accept": "text/event-stream", **_headers(self._settings)}
        if self.answer.id is None or self._last_id is None:
            request = self._http.build_request("POST", "/v1/streams", json=self._body, headers=headers)
        else:
            headers["Last-Event-ID"] = self._last_id
            thoughts = {"show_thoughts": "true"} if self._body.get("show_thoughts") else {}
            path = f"/v1/streams/{self.answer.id}/events"
            request = self._http.build_request("GET", path, params=thoughts, headers=headers)
        response = self._http.send(request, stream=True)
        try:
            if response.is_error:
                response.read()
                raise error_of(response)
            for event in _parse(response.iter_lines()):
                self._last_id = event.id or self._last_id
                self._attempt = 0
                if event.event is not None:
                    yield event.event
        finally:
            response.close()

    def _wait(self, error: HanzoLiveError) -> None:
        """Wait for the next attempt. Raises where there is none."""
        reconnect = self._settings.reconnect
        resumes = self._settings.resume_on_reconnect or self.answer.id is None
        if not reconnect.enabled or not resumes or self._attempt >= reconnect.max_attempts:
            self.answer.fail(error)
            raise self.answer.failure or error
        self._attempt += 1
        time.sleep(reconnect.delay(self._attempt, random.random))


@dataclass(frozen=True, slots=True)
class _Event:
    id: str | None
    event: JsonObject | None


def _parse(lines: Iterator[str]) -> Iterator[_Event]:
    """The events of an event stream; what is not JSON with a known type is passed over, comments as well."""
    id: str | None = None
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            id = value
        elif name == "data":
            data.append(value)
        elif line == "" and data:
            event = json.loads("\n".join(data))
            known = isinstance(event, dict) and event.get("type") in EVENTS
            yield _Event(id, event if known else None)
            data = []


def _headers(settings: Settings) -> dict[str, str]:
    token = settings.get_token() if settings.get_token else settings.token
    if token is not None and not isinstance(token, str):
        raise TypeError("`get_token` of HanzoLiveSSE must not be async.")
    return {"Authorization": f"Bearer {token}"} if token else {}
