"""The client over server-sent events for asyncio. How an answer is read is in `sse_reading.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import httpx
from typing_extensions import Self, Unpack

from hanzo_live.addresses import DEFAULT_URL, base_url, is_loopback
from hanzo_live.core.answer import TextReader
from hanzo_live.errors import HanzoLiveError
from hanzo_live.options import ClientOptions, Settings, StreamRequest
from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.events import AnyEvent
from hanzo_live.rest import bearer, error_of, unreachable
from hanzo_live.sse import TIMEOUT
from hanzo_live.sse_reading import Reading, cut_off
from hanzo_live.stream import event_of


class AsyncHanzoLiveSSE:
    """As `HanzoLiveSSE`, for one event loop; `get_token` may be async."""

    def __init__(self, url: str = DEFAULT_URL, **options: Unpack[ClientOptions]) -> None:
        self._settings = Settings.of(options)
        self._base = base_url(url)
        self._http = httpx.AsyncClient(base_url=self._base, timeout=TIMEOUT, trust_env=not is_loopback(self._base))

    async def stream_chat(self, **request: Unpack[StreamRequest]) -> AsyncIterator[str]:
        """Ask a model; the answer's text as it comes."""
        text = TextReader()
        reading = Reading(self._settings, self._settings.start_frame(request))
        async with aclosing(self._events(reading)) as events:
            async for event in events:
                if event["type"] == "error":
                    raise reading.answer.error or HanzoLiveError.from_wire(event)
                if piece := text.take(event):
                    yield piece

    async def stream(self, **request: Unpack[StreamRequest]) -> AsyncIterator[AnyEvent]:
        """Ask a model; the answer's events as they come, the terminal one included."""
        reading = Reading(self._settings, self._settings.start_frame(request))
        async with aclosing(self._events(reading)) as events:
            async for event in events:
                yield event_of(event)

    async def stop(self, stream: str) -> None:
        """Stop a stream; what it wrote stays."""
        try:
            response = await self._http.post(f"/v1/streams/{stream}/stop", headers=await bearer(self._settings))
        except httpx.HTTPError as error:
            raise unreachable(error, self._base) from error
        if response.is_error:
            raise error_of(response)

    async def close(self) -> None:
        """Close what is kept open for the next request."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _events(self, reading: Reading) -> AsyncGenerator[JsonObject, None]:
        """Raises HanzoLiveError where the answer cannot be started, or not be read to its end."""
        while not reading.over:
            try:
                async with aclosing(self._response(reading)) as events:
                    async for event in events:
                        yield event
                failure = cut_off()
            except httpx.HTTPError as error:
                failure = unreachable(error, self._base)
            except HanzoLiveError as error:
                failure = error
            if not reading.over:
                await asyncio.sleep(reading.wait(failure))

    async def _response(self, reading: Reading) -> AsyncGenerator[JsonObject, None]:
        """Until the answer is over, or the response is."""
        while not reading.over:
            request = reading.request()
            headers = {**await bearer(self._settings), **request.headers}
            async with self._http.stream(
                request.method, request.path, json=request.json, params=request.params, headers=headers
            ) as response:
                if response.is_error or not request.reads:
                    await response.aread()
                if response.is_error:
                    raise error_of(response)
                if not request.reads:
                    reading.started(response.json())
                    continue
                async for line in response.aiter_lines():
                    for event in reading.line(line):
                        yield event
                    if reading.over:
                        return
                return
