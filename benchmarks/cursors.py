"""What people who move their cursors say and hear, for each way of saying it, and what a viewer makes of it. No I/O.

A cursor's `x` is the number of the move, so a viewer's newest position tells which moves it has, or need not have any
more. Nothing here knows when or through which socket.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.task import CursorDialect

Cursor = dict[str, Any]
Heard = list[tuple[str, Cursor | None]]


def cursor_of(person: int, number: int) -> Cursor:
    """Where the person's move `number` (from 0) put the cursor; no two moves go to the same place."""
    return {"area": "transcript", "x": number, "y": person}


@dataclass(frozen=True, slots=True)
class Way:
    """How moves are told and heard on a target's sockets."""

    tell: Callable[[str, int, Cursor], bytes]
    """The payload of a move: session, a number of its own among the socket's commands, cursor."""
    hear: Callable[[bytes], Heard | None]
    """(person's id, cursor) of a frame that tells of people; None for every other frame. ValueError for a refusal."""


def _tell_hanzo(session: str, number: int, cursor: Cursor) -> bytes:
    return orjson.dumps({"id": number, "type": "presence.set", "session": session, "cursor": cursor})


def _hear_hanzo(payload: bytes) -> Heard | None:
    if payload.startswith(b'{"type":"ok"'):
        return None
    event = orjson.loads(payload)
    if event["type"] == "error":
        raise ValueError(f"{event['code']}: {event['message']}")
    if event["type"] != "presence":
        return None
    people = event.get("users") or event.get("changes") or ()
    return [(person["user"]["id"], person["cursor"]) for person in people]


def _tell_ws(session: str, number: int, cursor: Cursor) -> bytes:
    return orjson.dumps({"type": "cursor", "cursor": cursor})


def _hear_ws(payload: bytes) -> Heard | None:
    event = orjson.loads(payload)
    return [(event["user"]["id"], event["cursor"])]


def _tell_socket_io(session: str, number: int, cursor: Cursor) -> bytes:
    return b"42" + orjson.dumps(["cursor", cursor])


def _hear_socket_io(payload: bytes) -> Heard | None:
    if not payload.startswith(b'42["cursor"'):
        return None
    return _hear_ws(orjson.dumps(orjson.loads(payload[2:])[1]))


WAYS: dict[CursorDialect, Way] = {
    "hanzo": Way(_tell_hanzo, _hear_hanzo),
    "ws": Way(_tell_ws, _hear_ws),
    "socket.io": Way(_tell_socket_io, _hear_socket_io),
}


class Moves:
    """One person's moves: when each was made, in µs, and where the last one went."""

    __slots__ = ("last", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.last: Cursor | None = None

    def add(self, cursor: Cursor, at: int) -> None:
        self.times.append(at)
        self.last = cursor


class Sight:
    """What one viewer knows of the others' cursors and, where `timed`, how late it was told of each move.

    A move that was merged into a later one of the same person is told with that one: from then on the viewer shows
    nothing older.
    """

    __slots__ = ("_moves", "_seen", "lags", "own", "positions", "timed")

    def __init__(self, own: str, moves: dict[str, Moves], *, timed: bool) -> None:
        self.own = own
        self.timed = timed
        self.positions: dict[str, Cursor | None] = {}
        self.lags: list[tuple[int, int]] = []  # (made, lag), both in µs
        self._moves = moves
        self._seen = dict.fromkeys(moves, 0)  # how many of each person's moves it has

    def take(self, heard: Iterable[tuple[str, Cursor | None]], now: int) -> None:
        """What a frame told, at `now` in µs."""
        positions = self.positions
        for person, cursor in heard:
            positions[person] = cursor
            if self.timed and cursor is not None and person != self.own:
                self._time(person, cursor["x"] + 1, now)

    def _time(self, person: str, has: int, now: int) -> None:
        seen = self._seen[person]
        if has > seen:
            self.lags += [(made, now - made) for made in self._moves[person].times[seen:has]]
            self._seen[person] = has

    def untold(self) -> list[int]:
        """When the others' moves were made that it never had, nor a later one."""
        return [
            made for person, moves in self._moves.items() if person != self.own
            for made in moves.times[self._seen[person] :]
        ]  # fmt: skip

    def right(self) -> int:
        """Of how many others it knows exactly where they went last."""
        return sum(
            person != self.own and moves.last is not None and self.positions.get(person) == moves.last
            for person, moves in self._moves.items()
        )


def lags_within(
    told: Sequence[tuple[int, int]], untold: Sequence[int], start: float, end: float, ended: float
) -> tuple[list[float], int]:
    """The lags in ms of moves made from `start` to `end` (seconds), and how many of those never came.

    One that never came counts as late as the run, which ended at `ended`, had time to notice.
    """
    first, last = start * 1e6, end * 1e6
    lags = [lag / 1000 for made, lag in told if first <= made <= last]
    missing = [(ended * 1e6 - made) / 1000 for made in untold if first <= made <= last]
    return lags + missing, len(missing)
