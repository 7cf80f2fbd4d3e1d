"""The same bytes, in the same order, whichever server writes them and however slowly they are read."""

import contextlib
import hashlib
import json

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Frame as ReferenceFrame
from websockets.frames import Opcode
from websockets.sync.client import connect

from streaming.servers import Frame
from tests.servers.client import BINARY, CLOSE, PING, PONG, TEXT, RawClient, Received
from tests.servers.conftest import Running
from tests.servers.frames import COUNT, payloads


def reference(payload: bytes) -> bytes:
    """The frame as the websockets library builds it."""
    return ReferenceFrame(Opcode.TEXT, payload).serialize(mask=False)


def test_a_frame_is_built_once_and_as_the_protocol_says() -> None:
    for size in (0, 1, 125, 126, 127, 65_535, 65_536, 200_000):
        frame = Frame(b"x" * size)
        assert frame.wire == reference(frame.payload)
        assert frame.wire is frame.wire


def test_it_delivers_every_frame_byte_for_byte_to_a_slow_reader_between_pings(server: Running) -> None:
    expected, received = hashlib.sha256(), hashlib.sha256()
    for payload in payloads():
        expected.update(reference(payload))
    pings = pongs = 0
    with server.connect(buffer=4096, chunk=2048) as client:
        assert "sec-websocket-extensions" not in client.head
        client.ask("burst")
        for number in range(COUNT):
            while (frame := client.frame()).opcode == PONG:
                assert frame.payload == b"ping %d" % pongs
                pongs += 1
            assert frame.opcode == TEXT
            received.update(frame.wire)
            if number % 50 == 0:
                client.send(PING, b"ping %d" % pings)
                pings += 1
        assert received.digest() == expected.digest()
        while (frame := client.frame()).opcode == PONG:
            pongs += 1
        assert frame.json["waited"] > 0, "the reader was never slow: this proved nothing"
        while pongs < pings:
            assert client.frame().opcode == PONG
            pongs += 1


def test_it_refuses_over_the_limit_and_wakes_when_drained(server: Running) -> None:
    with server.connect(buffer=4096, chunk=4096) as client:
        client.ask("fill")
        frames = iter(client.frames())
        count = 0
        while (frame := next(frames)).payload[:1] == b"x":
            count += 1
        assert frame.json["taken"] == count
        assert 256 * 1024 < frame.json["refused_at"] <= 256 * 1024 + 8192 + 16
        assert next(frames).json["drained_at"] <= 64 * 1024


def test_frames_just_before_a_close_arrive_before_it(server: Running) -> None:
    with server.connect(buffer=4096, chunk=1024) as client:
        client.ask("close", code=4410, reason="too slow: reconnect and resume")
        *texts, last = _until_close(client)
        assert [frame.payload for frame in texts[:-1]] == [str(number).encode() * 1000 for number in range(20)]
        assert texts[-1].json == {"type": "error"}
        assert last.close_code == 4410
        assert last.payload[2:].decode() == "too slow: reconnect and resume"
        client.send(CLOSE, last.payload)
        assert list(client.frames()) == []
    assert server.left(client.path)["closed"] is True


def test_any_close_code_of_the_protocol_can_be_sent(server: Running) -> None:
    for code in (1000, 1009, 1012, 4401, 4503):
        with server.connect() as client:
            client.ask("close", code=code, reason="")
            *_, last = _until_close(client)
            assert last.close_code == code
            client.send(CLOSE, last.payload)
            assert list(client.frames()) == []
        assert server.left(client.path)["wrote"] == [False, False]


@pytest.mark.parametrize("size", [5, 30_000])
def test_plain_sends_and_writes_keep_their_order(server: Running, size: int) -> None:
    with server.connect(buffer=65_536, chunk=4096) as client:
        client.ask("turns", count=200, size=size)
        texts = [client.frame().payload.decode() for _ in range(400)]
    assert [text.strip() for text in texts] == [f"{kind}{number}" for number in range(200) for kind in "ws"]
    assert {len(text) for text in texts} == {size}


def test_room_in_the_socket_is_not_taken_while_the_server_has_more_for_it(server: Running) -> None:
    if server.way == "plain":
        pytest.skip("a plain writer never sees the socket")
    with server.connect(buffer=65_536, chunk=4096) as client:
        client.ask("squeeze")
        assert client.frame().payload == b"first"
        assert client.frame().payload == b"s" * 2_000_000
        assert client.frame().payload == b"w"


@pytest.mark.parametrize("how", ["clean", "reset"])
def test_a_socket_that_left_takes_nothing_and_raises_nothing(server: Running, how: str) -> None:
    with server.connect(buffer=4096) as client:
        client.ask("fill")
        client.frame()
        if how == "clean":
            client.send(CLOSE, (1000).to_bytes(2, "big"))
    left = server.left(client.path)
    assert left["closed"] is True
    assert left["wrote"] == [False, False]


def test_a_frame_over_the_limit_closes_with_1009_before_it_is_there(server: Running) -> None:
    with server.connect() as client:
        client.send(TEXT, b"", length=10 * 1024 * 1024)
        assert client.frame().close_code == 1009


def test_a_client_that_sends_ten_megabytes_is_told_1009(server: Running) -> None:
    host, port = server.address
    with connect(f"ws://{host}:{port}/", max_size=None) as client:
        with contextlib.suppress(ConnectionClosedError):  # It may be told before all is sent.
            client.send("x" * (10 * 1024 * 1024))
        with pytest.raises(ConnectionClosedError) as closed:
            client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_binary_frames_reach_the_application(server: Running) -> None:
    sent = bytes(range(256)) * 4000
    with server.connect() as client:
        client.send(BINARY, sent)
        assert client.frame().json == {"bytes": len(sent), "sha": hashlib.sha256(sent).hexdigest()}


def test_a_library_client_understands_it(server: Running) -> None:
    host, port = server.address
    with connect(f"ws://{host}:{port}/library", max_size=None) as client:
        for text in ("hello", "ä€🦊" * 1000, "z" * 100_000):
            client.send(json.dumps({"do": "echo", "text": text}))
            assert client.recv() == text
        assert client.ping().wait(10)
    assert server.left("/library")["code"] in (1000, 1005)


def test_a_refused_socket_is_a_403(server: Running) -> None:
    with server.connect(path="/refused") as client:
        assert " 403 " in client.head.splitlines()[0]


def _until_close(client: RawClient) -> list[Received]:
    frames = [client.frame()]
    while frames[-1].opcode != CLOSE:
        frames.append(client.frame())
    return frames
