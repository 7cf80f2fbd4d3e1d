"""The ways to an MCP server: Streamable HTTP, SSE, or a process of ours. Bounded, and never off the server's origin."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import httpx2
from mcp.client import Transport
from mcp.client._transport import TransportStreams
from mcp.client.sse import sse_client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from streaming.tools.mcp_configured import McpServer, parts_of
from streaming.tools.mcp_stderr import logged

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
MAX_EVENT_BYTES = 2 * 1024 * 1024
CONNECT_S = 10.0
# A server may say nothing for as long as a tool works; the call's own limit is what ends it.
READ_S = 3_600.0


class TooLarge(httpx2.TransportError):
    """The server answered with more than anybody asked for."""


@dataclass(frozen=True, slots=True)
class Way:
    kind: Literal["http", "sse", "stdio"]
    url: str = ""


def ways(server: McpServer) -> list[Way]:
    """How to reach it, the likeliest first. A bare origin has its MCP server at `/mcp`, or an older one at `/sse`."""
    if server.command:
        return [Way("stdio")]
    url, path = server.url, parts_of(server.url).path
    if path in ("", "/"):
        base = url.rstrip("/")
        found = [Way("http", f"{base}/mcp"), Way("sse", f"{base}/sse")]
    elif path.rstrip("/").endswith("/sse"):
        found = [Way("sse", url), Way("http", url)]
    else:
        found = [Way("http", url), Way("sse", url)]
    return [way for way in found if server.transport in ("auto", way.kind)] or found[:1]


def transport(server: McpServer, way: Way) -> Transport:
    """The SDK's transport for that way, not yet open."""
    if way.kind == "stdio":
        return _process(server)
    headers = {name: value.get_secret_value() for name, value in server.headers.items()}
    if way.kind == "sse":
        return sse_client(
            way.url, headers=headers, timeout=CONNECT_S, sse_read_timeout=READ_S, httpx_client_factory=_client
        )
    client = _client(headers, httpx2.Timeout(CONNECT_S, read=READ_S))
    return _http(client, way.url)


@asynccontextmanager
async def _process(server: McpServer) -> AsyncGenerator[TransportStreams]:
    env = {name: value.get_secret_value() for name, value in server.env.items()}
    with logged(server.place, env.values()) as stderr:
        parameters = StdioServerParameters(command=server.command, args=list(server.args), env=env)
        async with stdio_client(parameters, errlog=stderr) as streams:
            yield streams


def _http(client: httpx2.AsyncClient, url: str) -> Transport:
    return streamable_http_client(url, http_client=client, max_sse_event_size=MAX_EVENT_BYTES)


def _client(
    headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, transport=_Bounded(), trust_env=False)


class _Bounded(httpx2.AsyncHTTPTransport):
    """Ends a body that is too long. Event streams have no end: of those each event is bounded, by the SDK."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if "text/event-stream" not in response.headers.get("content-type", ""):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _BoundedBody(response.stream)
        return response


class _BoundedBody(httpx2.AsyncByteStream):
    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._body:
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise TooLarge(f"The MCP server answered with more than {MAX_RESPONSE_BYTES} bytes.")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
