"""What a server owes besides frames: HTTP, SSE, dead peers noticed, proxies believed or not, an end in order."""

import errno
import http.client
import select
import signal
import socket
from collections.abc import Iterator

import pytest

from streaming.servers.sockets import bytes_acked, listen
from tests.servers.client import CLOSE, PING, PONG, TEXT, RawClient
from tests.servers.conftest import Running

SERVERS = ("daphne-fast", "uvicorn-fast")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with Running(request.param) as running:
        yield running


def open_stream(server: Running, path: str) -> http.client.HTTPConnection:
    """A GET whose headers have come, its body still streaming."""
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request("GET", path)
    reply = connection.getresponse()
    assert reply.headers["content-type"] == "text/event-stream"
    connection.reply = reply  # type: ignore[attr-defined]
    return connection


def test_an_sse_client_that_leaves_is_told_to_the_application(server: Running) -> None:
    stream = open_stream(server, "/sse")
    assert stream.reply.readline() == b"data: hello\n"  # type: ignore[attr-defined]
    stream.reply.close()  # type: ignore[attr-defined]
    stream.close()
    assert server.left("/sse") == {"disconnected": "/sse"}


def test_an_sse_client_that_does_not_read_stops_the_application_from_sending(server: Running) -> None:
    stream = open_stream(server, "/flood")
    flooded = server.left("/flood")
    assert flooded["stalled"], "sixty megabytes went into the server's memory"
    stream.reply.close()  # type: ignore[attr-defined]
    stream.close()
    assert server.left("/flood") == {"disconnected": "/flood"}


def test_requests_with_bodies_and_keep_alive_work(server: Running) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    for size in (0, 1, 8192, 300_000):
        connection.request("POST", "/scope", b"x" * size)
        reply = connection.getresponse()
        assert reply.read() == b'["127.0.0.1", "http", %d]' % size
        assert "server" not in reply.headers
    connection.close()


def test_an_application_that_fails_is_a_500(server: Running) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request("GET", "/broken")
    assert connection.getresponse().status == 500
    connection.close()


def test_nobody_is_believed_about_the_client_unless_told_so(server: Running) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert server.get("/scope", headers=headers)[:2] == ["127.0.0.1", "http"]


@pytest.mark.parametrize("way", SERVERS)
def test_it_believes_its_proxy_and_notices_dead_peers(way: str) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    with Running(way, forwarded_allow_ips=["127.0.0.1"], ping_interval=0.2, ping_timeout=2.0) as server:
        assert server.get("/scope", headers=headers)[:2] == ["203.0.113.9", "https"]
        with server.connect() as dead, server.connect() as alive:
            answered = _until_lost(dead, alive)
            assert server.left(dead.path)["closed"] is True
            while answered < 2:
                frame = alive.frame()
                assert frame.opcode == PING
                alive.send(PONG, frame.payload)
                answered += 1
            alive.ask("echo", text="here")
            assert next(frame for frame in alive.frames() if frame.opcode == TEXT).payload == b"here"


@pytest.mark.parametrize("way", SERVERS)
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_order(way: str, signum: signal.Signals) -> None:
    with Running(way, stop_timeout=2.0) as server:
        stream = open_stream(server, "/sse")
        with server.connect() as quick, server.connect() as deaf:
            for client in (quick, deaf):
                client.ask("echo", text="here")
                assert client.frame().payload == b"here"
            server.process.send_signal(signum)
            assert quick.frame().json == {"type": "goaway"}
            last = quick.frame()
            assert last.opcode == CLOSE
            assert last.close_code == 1012
            quick.send(CLOSE, last.payload)
            assert list(quick.frames()) == []
            with pytest.raises(OSError):  # noqa: PT011
                socket.create_connection(server.address, timeout=5).close()
            assert server.process.wait(10) == 0
            assert [frame.opcode for frame in deaf.frames()] == [TEXT, CLOSE]
        stream.close()


@pytest.mark.parametrize("way", SERVERS)
def test_it_serves_an_inherited_socket(way: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "web.sock")
    listener.bind(path)
    listener.listen()
    with Running(way, pass_fds=(listener.fileno(),), fd=listener.fileno()) as server:
        assert server.bound == f"{path} 0"
        with RawClient(path) as client:
            client.ask("fill")
            frames = client.frames()
            assert next(frame for frame in frames if frame.payload[:1] != b"x").json["taken"] > 0
            assert next(frames).json["drained_at"] <= 64 * 1024
    listener.close()


def test_a_port_in_use_is_an_os_error_at_once() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError) as refused:  # noqa: PT011
        listen("127.0.0.1", first.getsockname()[1])
    assert refused.value.errno == errno.EADDRINUSE


def test_acknowledged_bytes_tell_a_reader_from_a_dead_peer() -> None:
    with listen("127.0.0.1", 0) as listener:
        listener.setblocking(True)
        with socket.create_connection(listener.getsockname()) as peer, listener.accept()[0] as sock:
            before = bytes_acked(sock)
            if before is None:
                pytest.skip("only Linux tells")
            sock.sendall(b"x" * 1000)
            peer.recv(1000, socket.MSG_WAITALL)
            peer.sendall(b"y")
            sock.recv(1)
            assert bytes_acked(sock) == before + 1000


def _until_lost(dead: RawClient, alive: RawClient) -> int:
    """Read both, answer pings for `alive` only, until the server gives `dead` up. How many were answered."""
    answered = 0
    while True:
        readable, _, _ = select.select([dead.sock, alive.sock], [], [], 20)
        assert readable, "the server pings nobody"
        if alive.sock in readable:
            for frame in alive.arrived():
                alive.send(PONG, frame.payload)
                answered += 1
        if dead.sock in readable:
            try:
                assert {frame.opcode for frame in dead.arrived()} <= {PING, CLOSE}
            except EOFError:
                return answered
