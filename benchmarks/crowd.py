"""The generator of P10: people who move their cursors and see the others', in one process on raw sockets and epoll.

`python -m benchmarks.crowd`, JSON lines on both pipes: task → "connected"; "go": they begin to move; "mark" → "mark";
{"stop": seconds}: nobody moves any more, → "result" once everybody knows where the others are, or after so long.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import cursors, measure
from benchmarks.cursors import Moves, Sight, Way
from benchmarks.frames import CLOSE, PING, PONG, Frame, masked
from benchmarks.lines import read_task, say
from benchmarks.opening import Opened, open_sockets
from benchmarks.task import CrowdTask

_READ = 262_144
# What comes after the last positions are known could still change them.
_SETTLE_S = 0.5


def _now() -> int:
    return time.monotonic_ns() // 1000


class Person:
    """One socket, which moves and watches."""

    def __init__(self, opened: Opened, sight: Sight, moves: Moves, way: Way) -> None:
        self.connection = opened.connection
        self.sight = sight
        self.moves = moves
        self.frames = 0  # that tell of people
        self.others = 0  # every other one: replies, heartbeats
        self.bytes = 0
        self.changes = 0
        self.refused = 0
        self.open = True
        self._reader = opened.reader
        self._way = way
        self._unsent = b""
        for frame in opened.early:
            self._take(frame)

    def move(self, payload: bytes, cursor: cursors.Cursor) -> None:
        self.moves.add(cursor, _now())
        self.send(masked(payload))

    def send(self, data: bytes) -> None:
        """What does not fit waits for the next time, as in a browser."""
        data = self._unsent + data
        try:
            self._unsent = data[self.connection.send(data) :]
        except BlockingIOError:
            self._unsent = data
        except OSError:
            self.open = False

    def read(self, buffer: bytearray) -> None:
        try:
            size = self.connection.recv_into(buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        self.open = self.open and size > 0
        self.bytes += size
        for frame in self._reader.feed(memoryview(buffer)[:size]):
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.opcode == PING:
            self.send(masked(frame.payload, PONG))
        elif frame.opcode == CLOSE:
            self.open = False
        elif frame.payload == b"2":  # Socket.IO's own heartbeat
            self.send(masked(b"3"))
        else:
            self._hear(frame.payload)

    def _hear(self, payload: bytes) -> None:
        try:
            heard = self._way.hear(payload)
        except ValueError:
            self.refused += 1
            return
        if heard is None:
            self.others += 1
            return
        self.frames += 1
        self.changes += len(heard)
        self.sight.take(heard, _now())


class Crowd:
    """All of them, and the loop that moves and reads them."""

    def __init__(self, task: CrowdTask) -> None:
        self.task = task
        self.way = cursors.WAYS[task.dialect]
        self.moves = {id: Moves() for id in task.people}
        self.people: list[Person] = []
        self.by_fd: dict[int, Person] = {}
        self.poll = select.epoll()  # and stdin
        self.buffer = bytearray(_READ)
        self.made = 0
        self.late = 0.0  # seconds that a move was behind its time at most
        self._begun = float("inf")

    def connect(self) -> None:
        every = max(1, len(self.task.people) // max(1, self.task.sample))
        for each in open_sockets(self.task.viewer, range(len(self.task.people))):
            id = self.task.people[each.number]
            timed = each.number % every == 0 and each.number // every < self.task.sample
            person = Person(each, Sight(id, self.moves, timed=timed), self.moves[id], self.way)
            self.people.append(person)
            self.by_fd[each.connection.fileno()] = person
            self.poll.register(each.connection.fileno(), select.EPOLLIN)

    def go(self) -> None:
        self._begun = time.monotonic()

    def step(self, seconds: float) -> bool:
        """Makes the moves that are due and reads what is there; waits at most `seconds`. True: stdin has something."""
        for fd, _ in (ready := self.poll.poll(min(seconds, self._move_due()))):
            if (person := self.by_fd.get(fd)) is not None:
                person.read(self.buffer)
                if not person.open:
                    self.poll.unregister(fd)
                    del self.by_fd[fd]
        return any(fd == 0 for fd, _ in ready)

    def _move_due(self) -> float:
        """Makes what is due; returns in how many seconds the next is. The people's turns are spread evenly."""
        between = 1 / (self.task.rate * len(self.people))
        while (wait := self._begun + self.made * between - time.monotonic()) <= 0:
            self.late = max(self.late, -wait)
            number, who = divmod(self.made, len(self.people))
            cursor = cursors.cursor_of(who, number)
            self.people[who].move(self.way.tell(self.task.session, self.made + 10, cursor), cursor)
            self.made += 1
        return wait

    def mark(self) -> dict[str, Any]:
        """Every counter of this moment, the servers' CPU time included."""
        return {
            **measure.counters(self.task.server_pids, self.task.broker_pids),
            "made": self.made,
            "frames": [person.frames for person in self.people],
            **{
                name: sum(getattr(person, name) for person in self.people)
                for name in ("others", "bytes", "changes", "refused")
            },
        }

    def stop(self, seconds: float) -> dict[str, Any]:
        """Nobody moves any more; what everybody knows in the end."""
        self._begun = float("inf")
        pairs = len(self.people) * (len(self.people) - 1)
        stopped = time.monotonic()
        while time.monotonic() < stopped + seconds and self._right() < pairs:
            self._read_for(0.05)
        self._read_for(_SETTLE_S)
        sights = [person.sight for person in self.people if person.sight.timed]
        told = [pair for sight in sights for pair in sight.lags]
        untold = [made for sight in sights for made in sight.untold()]
        Path(self.task.lags_file).write_text(json.dumps({"told": told, "untold": untold}))
        return {
            "ended": time.monotonic(),
            "right": self._right(),
            "pairs": pairs,
            "late": self.late,
            "lost": len(self.people) - len(self.by_fd),
            "refused": sum(person.refused for person in self.people),
        }

    def _right(self) -> int:
        return sum(person.sight.right() for person in self.people)

    def _read_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.step(left)

    def serve(self) -> None:
        """Moves, reads, and does what stdin says until it ends."""
        os.set_blocking(0, False)
        self.poll.register(0, select.EPOLLIN)
        pending = b""
        while True:
            if not self.step(1.0):
                continue
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            for line in lines:
                match json.loads(line):
                    case "go":
                        self.go()
                    case "mark":
                        say("mark", **self.mark())
                    case {"stop": seconds}:
                        self.poll.unregister(0)
                        say("result", **self.stop(seconds))
                        return


def main() -> int:
    crowd = Crowd(CrowdTask.from_json(read_task()))
    started = time.monotonic()
    try:
        crowd.connect()
    except OSError as error:
        say("failed", why=f"somebody could not join: {error}")
        return 1
    say("connected", seconds=time.monotonic() - started)
    crowd.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
