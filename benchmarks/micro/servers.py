"""What one delivered frame costs the server, by server and way of writing: `python -m benchmarks.micro.servers`.

500 local sockets, 50 frames a second to each, for as long as a row takes (under two seconds). CPU time is the server
process's own, all of it; the reader is a process of its own and counts raw bytes. The first row is the system call alone:
the same frames over bare sockets, the floor on this machine. Not a test: nothing here passes or fails.
"""

import asyncio
import json
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, cast

SOCKETS: Final = 500
ROUNDS: Final = 80
PER_SECOND: Final = 50
PAYLOAD: Final = (
    b'{"type":"token","log":"session:5f0c","seq":1234567,"ts":1760000000000,"stream":"9b1d","data":" hello","n":1}'
)
ROWS: Final = ("sockets alone", "daphne fast", "daphne fast asyncio", "daphne plain", "uvicorn fast", "uvicorn plain")
ROOT: Final = Path(__file__).parents[2]
EXPECTED: Final = SOCKETS * ROUNDS * (len(PAYLOAD) + 2)
QUIET_S: Final = 3.0


def main() -> None:
    """Measure every row and print the table."""
    print(f"{SOCKETS} sockets, {PER_SECOND} frames of {len(PAYLOAD)} bytes a second to each, {ROUNDS} rounds")
    print(f"{'way':<22}{'µs CPU a frame':>16}{'delivered':>12}{'reader µs':>12}")
    for row in ROWS:
        result = measure(row)
        print(f"{row:<22}{result['us']:>16.2f}{result['delivered']:>12.1%}{result['reader_us']:>12.2f}")


def measure(row: str) -> dict[str, float]:
    """One row: a server, a reader, both gone afterwards."""
    server = _start("serve", row)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        reader = _start("read", port)
        try:
            result: dict[str, float] = json.loads(server.stdout.readline())
            read = json.loads(reader.communicate(timeout=30)[0])
        finally:
            reader.kill()
            reader.wait()
    finally:
        server.kill()
        server.wait()
    frames = SOCKETS * ROUNDS
    return {**result, "delivered": read["bytes"] / EXPECTED, "reader_us": read["cpu_s"] / frames * 1e6}


def _start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.micro.servers", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


# The reader.


def read(port: int) -> None:
    """Open the sockets, count what comes after the handshakes until nothing does."""
    selector = selectors.DefaultSelector()
    for _ in range(SOCKETS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(
            b"GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += sock.recv(1)
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
    buffer, count, started = bytearray(65_536), 0, time.process_time()
    while count < EXPECTED and (ready := selector.select(QUIET_S)):
        for key, _ in ready:
            count += cast(socket.socket, key.fileobj).recv_into(buffer)
    print(json.dumps({"bytes": count, "cpu_s": time.process_time() - started}), flush=True)


# The server.


def serve(row: str) -> None:
    """Serve one row until killed; print the port, and the result when the rounds are done."""
    if row == "sockets alone":
        _serve_bare()
        return
    server, way, *loop = row.split()
    hub = _Hub(plain=way == "plain")
    options: dict[str, Any] = {"ready_callback": lambda host, port: print(port, flush=True)}
    if loop:
        options["loop"] = loop[0]
    if server == "daphne":
        from streaming.servers.daphne import serve_daphne

        serve_daphne(hub, "127.0.0.1", 0, **options)
    else:
        from streaming.servers.uvicorn import serve_uvicorn

        serve_uvicorn(hub, "127.0.0.1", 0, **options)


class _Hub:
    """Accepts the sockets and, when all are there, writes the rounds to them."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._writers: list[Any] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from streaming.servers import writer_for

        await receive()
        await send({"type": "websocket.accept"})
        self._writers.append(writer_for({} if self._plain else scope, send))
        if len(self._writers) == SOCKETS:
            self._task = asyncio.get_running_loop().create_task(self._write())
        await receive()

    async def _write(self) -> None:
        from streaming.servers import Frame

        await asyncio.sleep(0.3)
        cpu, started = time.process_time(), time.perf_counter()
        for number in range(1, ROUNDS + 1):
            frame = Frame(PAYLOAD)
            for writer in self._writers:
                writer.write(frame)
            await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
        _print_result(time.process_time() - cpu)


def _serve_bare() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=SOCKETS)
    print(listener.getsockname()[1], flush=True)
    sockets = []
    for _ in range(SOCKETS):
        sock = listener.accept()[0]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        sock.setblocking(False)
        sockets.append(sock)
    time.sleep(0.3)
    wire = b"\x81" + bytes([len(PAYLOAD)]) + PAYLOAD
    cpu, started = time.process_time(), time.perf_counter()
    for number in range(1, ROUNDS + 1):
        for sock in sockets:
            sock.send(wire)
        time.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
    _print_result(time.process_time() - cpu)
    signal.pause()


def _print_result(cpu_s: float) -> None:
    print(json.dumps({"us": cpu_s / (SOCKETS * ROUNDS) * 1e6}), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    elif sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        read(int(sys.argv[2]))
