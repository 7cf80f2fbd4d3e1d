"""Servers below HTTP: raw sockets, written out byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import orjson

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
TOKEN = b'data: {"choices":[{"delta":{"content":"yes"}}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server that gives each connection to `handler`, and closes it after."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def read_path(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """(path, body) of the next request; raises IncompleteReadError when the client is gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head.split(b" ")[1].decode(), await reader.readexactly(int(sizes[0])) if sizes else b""


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of the next request."""
    return (await read_path(reader))[1]


def sized(content: bytes) -> bytes:
    return SSE + b"Content-Length: %d\r\n\r\n" % len(content) + content


@asynccontextmanager
async def canned(
    answers: Mapping[str, object], server: str = "", bodies: list[object] | None = None
) -> AsyncIterator[str]:
    """The URL of a server that knows these paths: JSON for values, a web page for a str, 404 for the rest."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path, body = await read_path(reader)
        if bodies is not None and body:
            bodies.append(orjson.loads(body))
        answer = answers.get(path, answers.get("*"))
        page = isinstance(answer, str)
        content = answer.encode() if isinstance(answer, str) else orjson.dumps(answer or {"detail": "Not Found"})
        status = b"200 OK" if answer is not None else b"404 Not Found"
        head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nServer: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (
            status,
            b"text/html" if page else b"application/json",
            server.encode(),
            len(content),
        )
        writer.write(head + content)
        await writer.drain()

    async with listening(handler) as url:
        yield url
