"""The client of P11: reads pages of history one after the other, over one kept connection and one WebSocket.

`python -m benchmarks.pager`, JSON lines on both pipes: task → "paged". It blocks and computes nothing while it waits. All
places of a round are read before the next round, so that a slow moment of the machine meets all of them.
"""

from __future__ import annotations

import socket
import time
from typing import Any
from urllib.request import urlopen

import orjson

from benchmarks import measure
from benchmarks.frames import PING, PONG, Frame, masked
from benchmarks.lines import read_task, say
from benchmarks.opening import open_sockets
from benchmarks.task import HistoryTask, Reading, ViewerShape

_QUERIES = b"django_db_execute_total{"


class Http:
    """One kept HTTP/1.1 connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"Host: 127.0.0.1:{port}", *(f"{name}: {value}" for name, value in headers.items())]
        self._rest = "\r\n".join([" HTTP/1.1", *lines, "", ""]).encode()
        self._pending = b""

    def get(self, path: str) -> tuple[float, bytes]:
        """How long the whole answer took, in ms, and its body. Raises ValueError for another status than 200."""
        request = b"GET " + path.encode() + self._rest
        started = time.perf_counter()
        self._socket.sendall(request)
        head, body = self._answer()
        took = (time.perf_counter() - started) * 1000
        status = head.partition(b"\r\n")[0]
        if b" 200 " not in status + b" ":
            raise ValueError(f"{path}: {status.decode()} {body[:300].decode(errors='replace')}")
        return took, body

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> tuple[bytes, bytes]:
        data = self._pending
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, body = data.partition(b"\r\n\r\n")
        size = content_length(head)
        parts, have = [body], len(body)
        while have < size:
            parts.append(self._more())
            have += len(parts[-1])
        body = b"".join(parts)
        self._pending = body[size:]
        return head, body[:size]

    def _more(self) -> bytes:
        chunk = self._socket.recv(1 << 18)
        if not chunk:
            raise ValueError("the server closed the connection in the middle of an answer")
        return chunk


def content_length(head: bytes) -> int:
    """The length of the body behind this head. Raises ValueError where the head names none."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise ValueError(f"an answer of no known length: {head[:200].decode(errors='replace')}")


def queries_of(metrics: bytes) -> int:
    """How many statements the server's process has executed so far, by its own `/metrics`."""
    return sum(int(float(line.rpartition(b" ")[2])) for line in metrics.split(b"\n") if line.startswith(_QUERIES))


def _metrics(port: int) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        said: bytes = answer.read()
        return said


class Live:
    """One WebSocket that subscribes anew for each snapshot."""

    def __init__(self, shape: ViewerShape) -> None:
        (self._opened,) = open_sockets(shape, [0])
        self._connection.settimeout(60)
        self._frames: list[Frame] = self._opened.early
        self._number = 0

    @property
    def _connection(self) -> socket.socket:
        return self._opened.connection

    def snapshot(self, log: str) -> tuple[float, bytes]:
        """How long it took from `subscribe` to the whole snapshot, in ms, and the snapshot."""
        started = time.perf_counter()
        self._send(type="subscribe", log=log)
        found = self._until(b'{"type":"snapshot"')
        took = (time.perf_counter() - started) * 1000
        self._send(type="unsubscribe", log=log)
        self._until(b'{"type":"ok","id":%d,' % self._number)
        return took, found

    def _send(self, **command: Any) -> None:
        self._number += 1
        self._connection.sendall(masked(orjson.dumps({"id": self._number, **command})))

    def _until(self, start: bytes) -> bytes:
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if frame.opcode == PING:
                    self._connection.sendall(masked(frame.payload, PONG))
                elif frame.payload.startswith(start):
                    return frame.payload
                elif frame.payload.startswith(b'{"type":"error"'):
                    raise ValueError(frame.payload.decode())
            chunk = self._connection.recv(1 << 18)
            if not chunk:
                raise ValueError("the server closed the socket")
            self._frames += self._opened.reader.feed(chunk)


def numbers_of(reading: Reading, body: bytes) -> list[int]:
    """The numbers of the messages in an answer, as they stand there."""
    answer = orjson.loads(body)
    messages = answer["results"] if reading.kind == "page" else answer["state"]["messages"]
    return [message["n"] for message in messages]


class Pager:
    def __init__(self, task: HistoryTask) -> None:
        self._task = task
        self._http = Http(task.port, task.headers)
        self._live = Live(task.viewer) if task.viewer is not None else None

    def read(self, reading: Reading) -> tuple[float, bytes]:
        if reading.kind == "page":
            return self._http.get(reading.place)
        assert self._live is not None
        return self._live.snapshot(reading.place)

    def check(self) -> None:
        """Every place once: the answer holds the messages that it should. Raises ValueError."""
        for reading in self._task.readings:
            found = sorted(numbers_of(reading, self.read(reading)[1]))
            if found != list(range(reading.first, reading.last + 1)):
                raise ValueError(
                    f"{reading.name}: messages {found[:1]}…{found[-1:]}, not {reading.first}…{reading.last}"
                )

    def queries(self, times: int) -> dict[str, int]:
        """How many queries each place takes; the median, for the server may do something else meanwhile."""
        return {reading.name: self._queries(reading, times) for reading in self._task.readings}

    def _queries(self, reading: Reading, times: int) -> int:
        counted = []
        for _ in range(times):
            before = queries_of(_metrics(self._task.port))
            self.read(reading)
            counted.append(float(queries_of(_metrics(self._task.port)) - before))
        return int(measure.percentile(counted, 0.5))

    def times(self, rounds: int) -> dict[str, list[float]]:
        """In ms, for each place as often as there are rounds."""
        found: dict[str, list[float]] = {reading.name: [] for reading in self._task.readings}
        for _ in range(rounds):
            for reading in self._task.readings:
                found[reading.name].append(self.read(reading)[0])
        return found


def main() -> None:
    task = HistoryTask.from_json(read_task())
    try:
        pager = Pager(task)
        pager.check()
        queries = pager.queries(times=5)
        pager.times(task.warm)
        before = measure.counters(task.server_pids, [])
        times = pager.times(task.rounds)
        after = measure.counters(task.server_pids, [])
    except (OSError, ValueError, KeyError) as error:
        say("failed", why=f"{type(error).__name__}: {error}")
        return
    seconds = after["time"] - before["time"]
    say(
        "paged",
        queries=queries,
        times=times,
        server_share=(after["server_cpu"] - before["server_cpu"]) / seconds,
        generator_share=(after["own_cpu"] - before["own_cpu"]) / seconds,
    )


if __name__ == "__main__":
    main()
