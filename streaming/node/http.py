"""The HTTP under the node client: one pool a node, three time-outs, and a fresh connection where keep-alive fails.

It knows no dialect. Every failure to reach the node becomes a `LiveError` here.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx
import orjson

from hanzo_live.protocol.errors import ErrorCode, LiveError

from .transport import FRESH, DirectTransport
from .types import NodeConfig, NodeTimeouts

MAX_ERROR_BYTES = 64 * 1024
MAX_BODY_BYTES = 32 * 1024 * 1024

# llama.cpp ties a generation to a conversation named by this header, and then a closed connection stops nothing.
NEVER_FORWARDED = frozenset({"x-conversation-id", "host", "content-length", "connection", "accept-encoding"})

_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class NodeHTTP:
    """Requests to one node. `keep_alive` turns false for good once the node broke a kept connection."""

    def __init__(self, config: NodeConfig, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.base = base_url(config.url)
        self.keep_alive = True
        self._direct = config.direct or _is_loopback(self.base)
        self._transport = transport
        self._headers = {k: v for k, v in config.headers.items() if k.lower() not in NEVER_FORWARDED}
        if config.api_key:
            self._headers["Authorization"] = f"Bearer {config.api_key}"
        # Answers are read as raw bytes.
        self._headers["Accept-Encoding"] = "identity"
        self._client: httpx.AsyncClient | None = None
        self._retired: list[httpx.AsyncClient] = []

    @property
    def headers(self) -> dict[str, str]:
        return dict(self._headers)

    async def aclose(self) -> None:
        clients, self._client, self._retired = [self._client, *self._retired], None, []
        for client in clients:
            if client is not None:
                await client.aclose()

    async def open(
        self, method: str, path: str, timeouts: NodeTimeouts, body: Mapping[str, Any] | None = None, id: str = ""
    ) -> httpx.Response:
        """The response with its body unread; the caller closes it. Raises node_unavailable or node_timeout."""
        try:
            return await self._send(method, path, timeouts, body, id)
        except _BROKEN as error:
            if not self.keep_alive:
                raise unreachable(error) from error
        # The node closed a kept connection as we wrote to it: nothing was answered, so asking again is safe.
        self.keep_alive = False
        if self._client is not None:
            self._retired.append(self._client)
            self._client = None
        try:
            return await self._send(method, path, timeouts, body, id)
        except _BROKEN as error:
            raise unreachable(error) from error

    async def get_json(self, path: str, timeouts: NodeTimeouts) -> tuple[int, object, httpx.Headers]:
        """(status, the parsed body or None, headers) of a small GET."""
        response = await self.open("GET", path, timeouts)
        try:
            content = await read_bounded(response, timeouts.first_byte, 4 * 1024 * 1024)
        finally:
            await response.aclose()
        try:
            return response.status_code, orjson.loads(content), response.headers
        except orjson.JSONDecodeError:
            return response.status_code, None, response.headers

    async def _send(
        self, method: str, path: str, timeouts: NodeTimeouts, body: Mapping[str, Any] | None, id: str
    ) -> httpx.Response:
        if self._client is None:
            self._client = self._new_client()
        headers = {} if body is None else {"Content-Type": "application/json"}
        if id:
            headers["X-Request-Id"] = id
        request = self._client.build_request(
            method,
            self.base + path,
            content=None if body is None else orjson.dumps(body),
            headers=headers,
            timeout=httpx.Timeout(
                connect=timeouts.connect, read=timeouts.first_byte, write=timeouts.first_byte, pool=timeouts.connect
            ),
        )
        try:
            response = await self._client.send(request, stream=True)
        except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise unreachable(f"it accepted no connection within {timeouts.connect:g} s") from error
        except httpx.TimeoutException as error:
            raise first_byte_timeout(timeouts) from error
        except _BROKEN as error:
            if request.extensions.get(FRESH):
                raise unreachable(error) from error
            raise
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise unreachable(error) from error
        # From here on the reader holds the clock: httpx has one read time-out for the first and the later bytes.
        request.extensions["timeout"]["read"] = None
        return response

    def _new_client(self) -> httpx.AsyncClient:
        by_proxy = not self._direct and {"http", "all"} & set(getproxies())
        transport = self._transport
        if transport is None and self.base.startswith("http:") and not by_proxy:
            transport = DirectTransport(keep_alive=self.keep_alive)
        return httpx.AsyncClient(
            headers=self._headers,
            transport=transport,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20 if self.keep_alive else 0),
            follow_redirects=False,
            trust_env=not self._direct,
        )


async def read_bounded(response: httpx.Response, wait: float | None, limit: int) -> bytes:
    """The body up to `limit` bytes, the rest unread; each read waits at most `wait` seconds."""
    parts: list[bytes] = []
    size = 0
    chunks = response.aiter_raw()
    while size < limit:
        try:
            async with asyncio.timeout(wait):
                part = await anext(chunks, b"")
        except TimeoutError as error:
            raise LiveError(ErrorCode.NODE_TIMEOUT, "The node stopped in the middle of its answer.") from error
        except httpx.TransportError as error:
            raise LiveError(ErrorCode.STREAM_INTERRUPTED, "The node's answer was cut off before its end.") from error
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)[:limit]


def base_url(url: str) -> str:
    """The node's root without `/v1` and slashes at the end. Raises LiveError for what is no http(s) URL."""
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise LiveError(
            ErrorCode.NODE_UNAVAILABLE,
            f"NODE_URL {url!r} is not an address: it looks like http://localhost:8080.",
            retryable=False,
        )
    return url.strip().rstrip("/").removesuffix("/v1").rstrip("/")


def first_byte_timeout(timeouts: NodeTimeouts) -> LiveError:
    return LiveError(
        ErrorCode.NODE_TIMEOUT, f"The node said nothing for {timeouts.first_byte:g} s: it may be overloaded; try again."
    )


def idle_timeout(timeouts: NodeTimeouts) -> LiveError:
    return LiveError(
        ErrorCode.NODE_TIMEOUT, f"The node fell silent for {timeouts.idle:g} s in the middle of its answer: try again."
    )


def unreachable(why: Exception | str) -> LiveError:
    """For everybody in a session, so without the address: where the node is, is its operator's business."""
    if isinstance(why, _BROKEN):
        why = "it closed the connection without an answer"
    elif isinstance(why, Exception):
        why = "nothing answers at its address"
    return LiveError(ErrorCode.NODE_UNAVAILABLE, f"The node cannot be reached: {why}. Is it running?")


def _is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
