"""A client over server-sent events, for where sockets do not get through: one request an answer, resumed after cuts."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing

import httpx
from typing_extensions import Self, Unpack

from hanzo_live.addresses import DEFAULT_URL, base_url, is_loopback
from hanzo_live.core.answer import TextReader
from hanzo_live.errors import HanzoLiveError
from hanzo_live.options import ClientOptions, Settings, StreamRequest
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import AnyEvent
from hanzo_live.rest import error_of, unreachable
from hanzo_live.sse_reading import Reading, cut_off
from hanzo_live.stream import event_of

# The server sends a comment every 15 s.
TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class HanzoLiveSSE:
    """Answers of the server at `url` by server-sent events. `reconnect` and `token` are as `HanzoLiveClient` has them.

    One object serves many threads. Calls raise HanzoLiveError. Who reads slowly holds the server back.
    """

    def __init__(self, url: str = DEFAULT_URL, **options: Unpack[ClientOptions]) -> None:
        self._settings = Settings.of(options)
        self._base = base_url(url)
        self._http = httpx.Client(base_url=self._base, timeout=TIMEOUT, trust_env=not is_loopback(self._base))

    def stream_chat(self, **request: Unpack[StreamRequest]) -> Iterator[str]:
        """Ask a model; the answer's text as it comes."""
        text = TextReader()
        reading = Reading(self._settings, self._settings.start_frame(request))
        with closing(self._events(reading)) as events:
            for event in events:
                if event["type"] == "error":
                    raise reading.answer.error or HanzoLiveError.from_wire(event)
                if piece := text.take(event):
                    yield piece

    def stream(self, **request: Unpack[StreamRequest]) -> Iterator[AnyEvent]:
        """Ask a model; the answer's events as they come, the terminal one included."""
        reading = Reading(self._settings, self._settings.start_frame(request))
        with closing(self._events(reading)) as events:
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

    def _events(self, reading: Reading) -> Generator[JsonObject, None, None]:
        """Raises HanzoLiveError where the answer cannot be started, or not be read to its end."""
        while not reading.over:
            try:
                yield from self._response(reading)
                failure = cut_off()
            except httpx.HTTPError as error:
                failure = unreachable(error, self._base)
            except HanzoLiveError as error:
                failure = error
            if not reading.over:
                time.sleep(reading.wait(failure))

    def _response(self, reading: Reading) -> Iterator[JsonObject]:
        """Until the answer is over, or the response is."""
        while not reading.over:
            request = reading.request()
            headers = {**_headers(self._settings), **request.headers}
            with self._http.stream(
                request.method, request.path, json=request.json, params=request.params, headers=headers
            ) as response:
                if response.is_error or not request.reads:
                    response.read()
                if response.is_error:
                    raise error_of(response)
                if not request.reads:
                    reading.started(response.json())
                    continue
                for line in response.iter_lines():
                    yield from reading.line(line)
                    if reading.over:
                        return
                return


def _headers(settings: Settings) -> dict[str, str]:
    token = settings.get_token() if settings.get_token else settings.token
    if token is not None and not isinstance(token, str):
        raise TypeError("`get_token` of HanzoLiveSSE must not be async. AsyncHanzoLiveSSE takes one that is.")
    return {"Authorization": f"Bearer {token}"} if token else {}
