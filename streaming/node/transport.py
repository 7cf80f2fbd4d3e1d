"""A transport of our own under httpx, for plain HTTP/1.1 to a node: a protocol on the loop and a parser in C.

httpx's own spends most of a token's price in its layers. This one does only what a node needs: no TLS, no proxy, no
HTTP/2, no upgrade; those go through httpx's. Closing an unread response ends its socket at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import cast

import httptools
import httpx

MAX_HEAD = 64 * 1024
HIGH_WATER = 256 * 1024  # bytes that wait for their reader before the socket is read no further
# What a reader gets before the loop's other streams have their turn: some 80 tokens, well under a millisecond's work.
PIECE = 16 * 1024
MAX_IDLE = 20
IDLE_S = 5.0

FRESH = "fresh_connection"  # set in a request's extensions: its connection was opened for it

Address = tuple[str, int]


class DirectTransport(httpx.AsyncBaseTransport):
    """`keep_alive=False` gives every request a connection of its own."""

    def __init__(self, *, keep_alive: bool = True) -> None:
        self._keep_alive = keep_alive
        self._idle: dict[Address, deque[_Connection]] = {}
        self._open: set[_Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme != "http":
            raise httpx.UnsupportedProtocol("This transport speaks plain HTTP only.", request=request)
        address = (request.url.host, request.url.port or 80)
        head = _head(request) + await request.aread()
        connection = self._take(address)
        if connection is None:
            connection = await self._connect(address, request)
            request.extensions[FRESH] = True
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("read")):
                await connection.ask(head)
        except TimeoutError as error:
            await connection.close()
            raise httpx.ReadTimeout("No answer in time.", request=request) from error
        except BaseException:
            await connection.close()
            raise
        return httpx.Response(
            connection.status, headers=connection.headers, stream=_Body(self, address, connection), request=request
        )

    async def aclose(self) -> None:
        self._idle.clear()
        for connection in list(self._open):
            await connection.close()

    def give_back(self, address: Address, connection: _Connection) -> None:
        """An answer was read to its end: keep its connection for the next one, or close it."""
        idle = self._idle.setdefault(address, deque())
        if self._keep_alive and connection.reusable and len(idle) < MAX_IDLE:
            connection.idle_since = asyncio.get_running_loop().time()
            idle.append(connection)
        else:
            connection.abort()

    def _take(self, address: Address) -> _Connection | None:
        """The connection used last that is still open and not too old."""
        idle = self._idle.get(address, ())
        oldest = asyncio.get_running_loop().time() - IDLE_S
        while idle:
            connection = self._idle[address].pop()
            if connection.reusable and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self, address: Address, request: httpx.Request) -> _Connection:
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("connect")):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self._open), *address
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("No connection in time.", request=request) from error
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return connection


class _Body(httpx.AsyncByteStream):
    """What httpx reads: what came, in pieces of at most PIECE."""

    def __init__(self, transport: DirectTransport, address: Address, connection: _Connection) -> None:
        self._transport = transport
        self._address = address
        self._connection = connection
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while piece := await self._connection.read():
            yield piece

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._connection.complete:
            self._transport.give_back(self._address, self._connection)
        else:
            await self._connection.close()


class _Connection(asyncio.Protocol):
    """One socket and the answer that is being read from it. The parser calls the `on_…` methods."""

    def __init__(self, everyone: set[_Connection]) -> None:
        self._everyone = everyone
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiter: asyncio.Future[None] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._failure: httpx.TransportError | None = None
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self._answered = False
        self._framed = False  # the head tells where the body ends: a length, or chunks
        self._kept = False
        self._asked = False
        self._head_size = 0
        self._parts: deque[bytes] = deque()  # none larger than PIECE
        self._size = 0
        self._paused = False

    @property
    def reusable(self) -> bool:
        return (
            self.complete
            and self._failure is None
            and self._transport is not None
            and not self._transport.is_closing()
            and self._kept
        )

    async def ask(self, request: bytes) -> None:
        """Send, and wait for the head of the answer."""
        if self.complete:
            self._parser = httptools.HttpResponseParser(self)
            self._begin()
        self._asked = True
        if self._transport is None or self._transport.is_closing():
            raise httpx.RemoteProtocolError("The server closed the connection.")
        self._transport.write(request)
        while not self._answered:
            if self._failure is not None:
                raise self._failure
            await self._wake()

    async def read(self) -> bytes:
        """The next bytes, at most PIECE; b"" at the end.

        Where the last read left some, the loop's other streams come first: else one that is always ready holds it.
        """
        if self._parts:
            await asyncio.sleep(0)
        while not self._parts:
            if self.complete:
                return b""
            if self._failure is not None:
                raise self._failure
            await self._wake()
        piece = self._next_piece()
        if not self._parts and self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        return piece

    def _next_piece(self) -> bytes:
        taken = [self._parts.popleft()]
        size = len(taken[0])
        while self._parts and size + len(self._parts[0]) <= PIECE:
            taken.append(self._parts.popleft())
            size += len(taken[-1])
        self._size -= size
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Abort, and wait until the socket is closed: it is when `connection_lost` was called."""
        if self._failure is None and not self.complete:
            self._failure = httpx.ReadError("The response was closed.")
        self._notify()
        if self._transport is not None:
            self._transport.abort()
            await asyncio.shield(self._lost)

    async def _wake(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by class
        self._everyone.add(self)

    def data_received(self, data: bytes) -> None:
        if not self._asked or self.complete:  # bytes that nobody asked for
            self._fail(httpx.RemoteProtocolError("The server sent more than its answer."))
            return
        if not self._answered:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"What the server sent is no HTTP: {error}"))
        if not self._answered and self._head_size > MAX_HEAD:
            self._fail(httpx.RemoteProtocolError("The server's headers are too long."))
        if self._size > HIGH_WATER and not self._paused and self._transport is not None and not self.complete:
            self._paused = True
            self._transport.pause_reading()
        self._notify()

    def connection_lost(self, error: Exception | None) -> None:
        self._everyone.discard(self)
        if not self.complete and self._failure is None:
            if error is None and self._answered and not self._framed:
                self.complete = True  # a body that lasts until the connection ends
            elif error is None:
                self._failure = httpx.RemoteProtocolError("The server closed the connection before its answer's end.")
            else:
                self._failure = httpx.ReadError(str(error))
        if not self._lost.done():
            self._lost.set_result(None)
        self._notify()

    def _fail(self, failure: httpx.TransportError) -> None:
        if self._failure is None:
            self._failure = failure
        self.abort()

    # The parser calls these.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._answered = True

    def on_body(self, body: bytes) -> None:
        if len(body) <= PIECE:
            self._parts.append(body)
        else:
            self._parts.extend(body[start : start + PIECE] for start in range(0, len(body), PIECE))
        self._size += len(body)

    def on_message_complete(self) -> None:
        if self.status >= 200:
            self.complete = True
            self._kept = self._parser.should_keep_alive()  # the parser knows now, and not later
        else:  # 100 Continue, 103 Early Hints: the answer is yet to come
            self.headers.clear()
            self._framed = False


def _head(request: httpx.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%b: %b" % header for header in request.headers.raw]
    if any(b"\r" in line or b"\n" in line for line in lines):
        raise httpx.LocalProtocolError("A header holds a line break.", request=request)
    return b"\r\n".join(lines) + b"\r\n\r\n"
