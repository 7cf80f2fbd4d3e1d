"""The load generator: thousands of WebSocket viewers in one process, on raw sockets and epoll, lighter than any server.

Every viewer's frames and tokens are counted without parsing; a sample of them is parsed, for the delay of each token
and for byte-exactness. It is run as a process of its own (`python -m benchmarks.loadgen`, JSON lines on both pipes):
task → "connected"; "mark" → "mark"; {"finish": …} → "result". It knows no target: what to send is in the task.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import measure, payloads, tokens
from benchmarks.frames import CLOSE, PING, PONG, Frame, FrameCounter, FrameReader, masked
from benchmarks.lines import read_task, say
from benchmarks.opening import open_sockets
from benchmarks.task import LoadTask

_READ = 262_144
# Viewers that are only counted are read together, once a millisecond: a reader woken for every frame costs more than the
# server. Not rarer: a reader so slow that it delays TCP's acknowledgements makes servers with Nagle's algorithm (nginx)
# a third cheaper and the others dearer, which no network does.
_SWEEP_SECONDS = 0.001
_SWEEP_PART = 64  # of them between two looks at the sample, whose delay is measured
_ENGINE_PING = b"\x81\x012"  # Socket.IO's own heartbeat, a text frame "2", answered by "3"
_ENGINE_PONG = masked(b"3")


class Viewer:
    """One socket that is only counted."""

    __slots__ = ("counter", "open", "recv_into", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.recv_into = connection.recv_into
        self.counter = FrameCounter(tokens.MARK_BYTE)
        self.open = True

    @property
    def frames(self) -> int:
        return self.counter.frames

    @property
    def tokens(self) -> int:
        return self.counter.marks

    def take(self, data: bytearray, size: int) -> None:
        counter = self.counter
        counter.feed(data, size)
        if counter.control:
            self.answer(counter.control)
            counter.control = []

    def answer(self, control: Iterable[Frame]) -> None:
        for frame in control:
            if frame.opcode == PING:
                self.send(masked(frame.payload, PONG))
            elif frame.opcode == CLOSE:
                self.open = False

    def send(self, data: bytes) -> None:
        try:
            self.socket.send(data)
        except OSError:  # full or gone: a heartbeat lost is the server's to judge
            return


class Sample(Viewer):
    """One socket whose tokens are read."""

    __slots__ = ("_frames", "_reader", "lags", "text", "unwrap")

    def __init__(self, connection: socket.socket, unwrap: payloads.Unwrap) -> None:
        super().__init__(connection)
        self._reader = FrameReader()
        self._frames = 0
        self.text = tokens.Reader()
        self.unwrap = unwrap
        self.lags: list[tuple[int, int]] = []  # (sent, lag), both in µs

    @property
    def frames(self) -> int:
        return self._frames

    @property
    def tokens(self) -> int:
        return len(self.lags)

    def take(self, data: bytearray, size: int) -> None:
        now = time.monotonic_ns() // 1000
        for frame in self._reader.feed(memoryview(data)[:size]):
            if frame.opcode & 0x08:
                self.answer((frame,))
                continue
            self._frames += frame.final
            for _, sent in self.text.feed(self.unwrap(frame.payload)):
                self.lags.append((sent, now - sent))


class Generator:
    """All viewers, and the loop that reads them."""

    def __init__(self, task: LoadTask) -> None:
        self.task = task
        self.samples = select.epoll()  # and stdin
        self.counted = select.epoll()
        self.swept = 0.0
        self.viewers: dict[int, Viewer] = {}
        self.buffer = bytearray(_READ)
        self.engine_io = task.viewer.dialect == "socket.io"
        self.unwrap = payloads.UNWRAP[task.viewer.dialect]
        self.lost = 0

    # -- connecting ---------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Opens all viewers, a few handshakes at a time and not faster than the task allows."""
        started = time.monotonic()
        every = max(1, self.task.viewers // max(1, self.task.sample))
        for first in range(0, self.task.viewers, self.task.at_once):
            if self.task.viewer.connect_rate:
                due = started + first / self.task.viewer.connect_rate
                while (early := due - time.monotonic()) > 0:
                    self.pump(early)
            numbers = range(first, min(first + self.task.at_once, self.task.viewers))
            self._connect_some(list(numbers), every)
            self.pump(0)

    def _connect_some(self, numbers: list[int], every: int) -> None:
        for each in open_sockets(self.task.viewer, numbers):
            sampled = each.number % every == 0 and each.number // every < self.task.sample
            viewer = Sample(each.connection, self.unwrap) if sampled else Viewer(each.connection)
            if each.reader.rest:
                viewer.take(each.reader.rest, len(each.reader.rest))
            self.viewers[each.connection.fileno()] = viewer
            (self.samples if sampled else self.counted).register(each.connection.fileno(), select.EPOLLIN)

    # -- reading ------------------------------------------------------------------------------------------------

    def pump(self, seconds: float) -> bool:
        """One round: what the sample has, waiting a moment for it, and a sweep of the others when it is due.

        Waits at most `seconds`. True: stdin has something.
        """
        asked = self._read_samples(min(seconds, _SWEEP_SECONDS))
        if time.monotonic() - self.swept >= _SWEEP_SECONDS or not seconds:
            ready = self.counted.poll(0, max(1, len(self.viewers)))
            for first in range(0, len(ready), _SWEEP_PART):
                self._read(ready[first : first + _SWEEP_PART])
                asked = self._read_samples(0) or asked
            self.swept = time.monotonic()
        return asked

    def _read_samples(self, seconds: float) -> bool:
        ready = self.samples.poll(seconds)
        self._read(ready)
        return any(fd == 0 for fd, _ in ready)

    def _read(self, ready: list[tuple[int, int]]) -> None:
        viewers, buffer, engine_io = self.viewers, self.buffer, self.engine_io
        for fd, _ in ready:
            viewer = viewers.get(fd)
            if viewer is None:
                continue
            try:
                size = viewer.recv_into(buffer)
            except BlockingIOError:
                continue
            except OSError:
                size = 0
            if size == 0:
                self._lose(fd, viewer)
                continue
            viewer.take(buffer, size)
            if engine_io and buffer.find(_ENGINE_PING, 0, size) >= 0:
                viewer.send(_ENGINE_PONG)

    def _lose(self, fd: int, viewer: Viewer) -> None:
        (self.samples if isinstance(viewer, Sample) else self.counted).unregister(fd)
        viewer.open = False
        self.lost += 1
        # The socket stays open (unread) so that its number is not given to another viewer.

    # -- telling ------------------------------------------------------------------------------------------------

    def mark(self) -> dict[str, Any]:
        """Every counter of this moment, the servers' CPU time included."""
        return {
            **measure.counters(self.task.server_pids, self.task.broker_pids),
            "frames": sum(viewer.frames for viewer in self.viewers.values()),
            "tokens": sum(viewer.tokens for viewer in self.viewers.values()),
        }

    def finish(self, sent: str, count: int, seconds: float) -> dict[str, Any]:
        """Reads on until every viewer has `count` tokens, or for `seconds`; then what each has, beside what was sent."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(v.open and v.tokens < count for v in self.viewers.values()):
            for _ in range(20):
                self.pump(0.02)
        viewers = self.viewers.values()
        samples = [viewer for viewer in viewers if isinstance(viewer, Sample)]
        Path(self.task.lags_file).write_text(json.dumps([sample.lags for sample in samples]))
        return {
            "ended": time.monotonic(),
            "tokens": sum(viewer.tokens for viewer in viewers),
            "complete": sum(viewer.tokens == count for viewer in viewers),
            "too_many": sum(viewer.tokens > count for viewer in viewers),
            "lost": self.lost,
            "sampled": len(samples),
            "exact_prefix": sum(sample.text.is_prefix_of(sent) for sample in samples),
            "exact": sum(sample.text.is_prefix_of(sent) and sample.tokens == count for sample in samples),
        }

    def serve(self) -> None:
        """Reads viewers and does what stdin says until it ends."""
        os.set_blocking(0, False)
        self.samples.register(0, select.EPOLLIN)
        pending = b""
        while True:
            if not self.pump(1.0):
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if order == "mark":
                    say("mark", **self.mark())
                else:
                    wanted = order["finish"]
                    sent = Path(wanted["sent_file"]).read_bytes().decode()
                    say("result", **self.finish(sent, wanted["count"], wanted["seconds"]))
                    return


def main() -> int:
    generator = Generator(LoadTask.from_json(read_task()))
    started = time.monotonic()
    try:
        generator.connect()
    except OSError as error:
        say("failed", why=f"viewer {len(generator.viewers) + 1} could not join: {error}")
        return 1
    say("connected", seconds=time.monotonic() - started)
    generator.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
