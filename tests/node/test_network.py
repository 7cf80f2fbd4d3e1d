"""Nodes that behave badly below HTTP: raw sockets, written out byte by byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.node import ChatRequest, Finish, NodeClient, NodeConfig, NodeEvent, NodeTimeouts

from .normal import text_of

ASK = ChatRequest("m", [{"role": "user", "content": "Hi"}])
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


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The request's body; raises IncompleteReadError when the client is gone."""
    head = await reader.readuntil(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return await reader.readexactly(int(sizes[0])) if sizes else b""


def sized(content: bytes) -> bytes:
    return SSE + b"Content-Length: %d\r\n\r\n" % len(content) + content


async def test_a_node_that_breaks_kept_connections_gets_fresh_ones() -> None:
    requests: list[int] = []
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        mine = connections
        await read_request(reader)
        requests.append(mine)
        writer.write(sized(TOKEN + FINISH + DONE))  # and nothing says that the connection is not kept
        await writer.drain()
        try:
            await reader.read(1)  # the next request begins: close instead of answering, as llama.cpp's server may
        except ConnectionError:
            return

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        assert client.keeps_alive
        for number in range(4):
            events = [event async for event in client.chat(ASK)]
            assert (text_of(events), events[-1]) == ("yes", Finish("stop"))
            assert client.keeps_alive == (number == 0)
    assert requests == [1, 2, 3, 4]


async def test_a_stream_without_a_reason_and_without_an_end_is_cut() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN)  # no length, no chunks: its end looks clean
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError) as caught:
            async for _ in client.chat(ASK):
                pass
    assert caught.value.code == ErrorCode.STREAM_INTERRUPTED


async def test_a_connection_reset_after_the_finish_reason_is_a_whole_answer() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        body = TOKEN + FINISH
        writer.write(SSE + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n" % (len(body), body))
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        events = [event async for event in client.chat(ASK)]
    assert (text_of(events), events[-1]) == ("yes", Finish("stop"))


async def test_a_node_that_keeps_the_line_open_after_the_end_does_not_hold_us() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN + FINISH + DONE)
        await writer.drain()
        assert await reader.read() == b""  # until the client closes

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client, asyncio.timeout(5):
        assert [event async for event in client.chat(ASK)][-1] == Finish("stop")


async def test_an_event_without_end_is_refused() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN + b"data: ")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            return

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="larger than 1 MiB"):
            async for _ in client.chat(ASK):
                pass


async def test_a_web_page_is_no_answer() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        page = b"<html><h1>Welcome</h1></html>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="NODE_URL") as caught:
            await anext(client.chat(ASK))
    assert caught.value.code == ErrorCode.NODE_ERROR


async def test_a_port_where_nothing_listens_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="is it running") as caught:
            await anext(client.chat(ASK))
        assert caught.value.code == ErrorCode.NODE_UNAVAILABLE
        health = await client.health()
    assert not health.ok
    assert url in health.message


async def test_a_node_without_an_answer_is_let_go_of_when_the_stream_is_closed() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        assert await reader.read() == b""  # no headers, ever
        gone.set()

    async def read() -> list[NodeEvent]:
        return [event async for event in stream]

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client, asyncio.timeout(5):
        stream = client.chat(ASK)
        reader = asyncio.create_task(read())
        await asked.wait()
        await stream.aclose()
        assert await reader == []
        await gone.wait()


async def test_a_node_that_does_not_accept_is_unavailable_not_slow() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        try:
            for one in waiting:  # fill the queue of connections that nobody accepts
                one.setblocking(False)
                one.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}"
            async with NodeClient(NodeConfig(url, timeouts=NodeTimeouts(0.1, 30, 30))) as client:
                with pytest.raises(LiveError, match=r"within 0\.1 s") as caught:
                    await anext(client.chat(ASK))
        finally:
            for one in waiting:
                one.close()
    assert caught.value.code == ErrorCode.NODE_UNAVAILABLE
