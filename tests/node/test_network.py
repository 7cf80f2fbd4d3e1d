"""Nodes that behave badly below HTTP: raw sockets, written out byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from itertools import pairwise

import httpx
import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.node import ChatRequest, Finish, NodeClient, NodeConfig, NodeEvent, NodeTimeouts
from streaming.node.configured import ConfiguredNode, Where
from streaming.node.transport import PIECE

from .normal import text_of
from .raw import DONE, FINISH, SSE, TOKEN, listening, read_request, sized

ASK = ChatRequest("m", [{"role": "user", "content": "Hi"}])


@pytest.fixture(params=["ours", "httpx"])
def transport(request: pytest.FixtureRequest) -> httpx.AsyncBaseTransport | None:
    """Plain HTTP goes through a transport of our own, everything else through httpx's."""
    return httpx.AsyncHTTPTransport() if request.param == "httpx" else None


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


async def test_a_kept_connection_is_used_again() -> None:
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await read_request(reader):
                writer.write(sized(TOKEN + FINISH + DONE))
                await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        for _ in range(3):
            assert text_of([event async for event in client.chat(ASK)]) == "yes"
        assert client.keeps_alive
    assert connections == 1


async def test_a_node_that_is_always_ready_leaves_the_loop_to_others_between_small_pieces() -> None:
    """Streams of a worker share a loop: how much of one is read before another has its turn is what the other waits."""
    tokens = 20_000

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(sized(TOKEN * tokens + FINISH + DONE))
        await writer.drain()

    read = 0
    at_turns = [0]

    async def neighbour() -> None:
        while True:
            await asyncio.sleep(0)
            at_turns.append(read)

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        others = asyncio.create_task(neighbour())
        async for _ in client.chat(ASK):
            read += 1
        others.cancel()
    assert read >= tokens
    assert max(after - before for before, after in pairwise([*at_turns, read])) <= PIECE // len(TOKEN) + 3


async def test_a_stream_without_a_reason_and_without_an_end_is_cut(transport: httpx.AsyncBaseTransport | None) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN)  # no length, no chunks: its end looks clean
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        with pytest.raises(LiveError) as caught:
            async for _ in client.chat(ASK):
                pass
    assert caught.value.code == ErrorCode.STREAM_INTERRUPTED


async def test_a_connection_reset_after_the_finish_reason_is_a_whole_answer(
    transport: httpx.AsyncBaseTransport | None,
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        body = TOKEN + FINISH
        writer.write(SSE + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%b\r\n" % (len(body), body))
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        events = [event async for event in client.chat(ASK)]
    assert (text_of(events), events[-1]) == ("yes", Finish("stop"))


async def test_a_node_that_keeps_the_line_open_after_the_end_does_not_hold_us(
    transport: httpx.AsyncBaseTransport | None,
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN + FINISH + DONE)
        await writer.drain()
        assert await reader.read() == b""  # until the client closes

    async with (
        listening(handler) as url,
        NodeClient(NodeConfig(url), transport=transport) as client,
        asyncio.timeout(5),
    ):
        assert [event async for event in client.chat(ASK)][-1] == Finish("stop")


async def test_a_node_that_only_falls_silent_after_the_finish_reason_does_not_hold_us(
    transport: httpx.AsyncBaseTransport | None,
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN + FINISH)
        await writer.drain()
        assert await reader.read() == b""

    timeouts = NodeTimeouts(5, 5, 0.1)
    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        assert [event async for event in client.chat(ASK, timeouts)][-1] == Finish("stop")


async def test_an_event_without_end_is_refused(transport: httpx.AsyncBaseTransport | None) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n" + TOKEN + b"data: ")
        try:
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        except ConnectionError:
            return

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        with pytest.raises(LiveError, match="larger than 1 MiB"):
            async for _ in client.chat(ASK):
                pass


async def test_a_reader_that_is_slow_holds_the_node_back(transport: httpx.AsyncBaseTransport | None) -> None:
    written = 0
    stuck = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await read_request(reader)
        writer.write(SSE + b"Connection: close\r\n\r\n")
        try:
            while True:
                writer.write(TOKEN * 1000)
                written += 1000
                drained = asyncio.ensure_future(writer.drain())
                drained.add_done_callback(lambda task: task.cancelled() or task.exception())
                if not (await asyncio.wait((drained,), timeout=0.5))[0]:
                    stuck.set()
                await drained
        except ConnectionError:
            return

    async with (
        listening(handler) as url,
        NodeClient(NodeConfig(url), transport=transport) as client,
        client.chat(ASK) as stream,
    ):
        await anext(stream)
        await stuck.wait()
        assert written * len(TOKEN) < 32 * 1024 * 1024
        for _ in range(written):
            await anext(stream)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=["nothing", "a-beginning", "noise", "endless-head", "tls"],
)
async def test_what_is_no_http_is_unavailable(transport: httpx.AsyncBaseTransport | None, answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        with pytest.raises(LiveError) as caught:
            await anext(client.chat(ASK))
    assert caught.value.code == ErrorCode.NODE_UNAVAILABLE


async def test_a_node_that_dies_of_a_request_is_not_asked_again() -> None:
    requests = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="closed the connection"):
            await anext(client.chat(ASK))
        assert client.keeps_alive
    assert requests == 1


async def test_a_gateways_502_is_told_where_nothing_behind_it_answers() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\nConnection: close\r\n\r\nsad.")
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="sad") as caught:
            await anext(client.chat(ASK))
    assert caught.value.code == ErrorCode.NODE_UNAVAILABLE


async def test_hints_before_the_answer_are_passed_over(transport: httpx.AsyncBaseTransport | None) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + sized(TOKEN + FINISH + DONE))
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        assert text_of([event async for event in client.chat(ASK)]) == "yes"


async def test_a_web_page_is_no_answer(transport: httpx.AsyncBaseTransport | None) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        page = b"<html><h1>Welcome</h1></html>"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
        await writer.drain()

    async with listening(handler) as url, NodeClient(NodeConfig(url), transport=transport) as client:
        with pytest.raises(LiveError, match="NODE_URL") as caught:
            await anext(client.chat(ASK))
    assert caught.value.code == ErrorCode.NODE_ERROR


async def test_a_port_where_nothing_listens_is_told_at_once(transport: httpx.AsyncBaseTransport | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with NodeClient(NodeConfig(url), transport=transport) as client:
        with pytest.raises(LiveError, match="cannot be reached") as caught:
            await anext(client.chat(ASK))
        assert caught.value.code == ErrorCode.NODE_UNAVAILABLE
        health = await client.health()
    assert not health.ok
    assert url in health.message


async def test_a_node_without_an_answer_is_let_go_of_when_the_stream_is_closed(
    transport: httpx.AsyncBaseTransport | None,
) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        asked.set()
        assert await reader.read() == b""  # no headers, ever
        gone.set()

    async def read() -> list[NodeEvent]:
        return [event async for event in stream]

    async with (
        listening(handler) as url,
        NodeClient(NodeConfig(url), transport=transport) as client,
        asyncio.timeout(5),
    ):
        stream = client.chat(ASK)
        reader = asyncio.create_task(read())
        await asked.wait()
        await stream.aclose()
        assert await reader == []
        await gone.wait()


async def test_a_node_that_does_not_accept_is_unavailable_not_slow(transport: httpx.AsyncBaseTransport | None) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        try:
            for one in waiting:  # fill the queue of connections that nobody accepts
                one.setblocking(False)
                one.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}"
            async with NodeClient(NodeConfig(url, timeouts=NodeTimeouts(0.1, 30, 30)), transport=transport) as client:
                with pytest.raises(LiveError, match=r"within 0\.1 s") as caught:
                    await anext(client.chat(ASK))
        finally:
            for one in waiting:
                one.close()
    assert caught.value.code == ErrorCode.NODE_UNAVAILABLE


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("where", "asks_the_proxy"), [("local", False), ("cloud", True)])
async def test_a_proxy_for_the_outside_world_is_told_nothing_that_is_for_a_local_node(
    monkeypatch: pytest.MonkeyPatch, scheme: str, where: Where, asks_the_proxy: bool
) -> None:
    asked: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n"))
        writer.write(b"HTTP/1.1 503 Not Here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    # No node of ours; and no name is looked up for it.
    node = ConfiguredNode(name="node", url=f"{scheme}://10.255.255.1:9", where=where)
    async with listening(proxy) as url:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with NodeClient(node.config(NodeTimeouts(0.2, 5, 5))) as client:
            with pytest.raises(LiveError):
                await anext(client.chat(ASK))
    assert bool(asked) == asks_the_proxy
