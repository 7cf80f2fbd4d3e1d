"""What a viewer of moving cursors has: merged moves count as told, lost ones as late, and the last one is the last one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import cursors, p10
from benchmarks.cursors import Moves, Sight, cursor_of, lags_within
from benchmarks.targets import CURSORS
from benchmarks.task import CrowdTask, CursorDialect, Step, ViewerShape
from hanzo_live.protocol.parsing import parse_command


def moved(person: int, *times: int) -> Moves:
    moves = Moves()
    for number, at in enumerate(times):
        moves.add(cursor_of(person, number), at)
    return moves


def test_a_merged_move_is_told_with_the_one_that_it_was_merged_into() -> None:
    sight = Sight("ada", {"ada": moved(0, 100), "grace": moved(1, 100, 200, 300)}, timed=True)
    sight.take([("ada", cursor_of(0, 0)), ("grace", cursor_of(1, 1))], 250)
    assert sight.lags == [(100, 150), (200, 50)]
    assert sight.untold() == [300]
    assert sight.right() == 0
    sight.take([("grace", cursor_of(1, 2))], 350)
    assert sight.lags[2:] == [(300, 50)]
    assert sight.untold() == []
    assert sight.right() == 1


def test_an_older_position_after_the_last_one_is_wrong() -> None:
    sight = Sight("ada", {"ada": moved(0), "grace": moved(1, 100, 200)}, timed=False)
    for number in (1, 0):
        sight.take([("grace", cursor_of(1, number))], 300)
    assert sight.right() == 0


def test_the_position_of_somebody_else_is_wrong() -> None:
    sight = Sight("ada", {"ada": moved(0), "grace": moved(1, 100), "linus": moved(2, 100)}, timed=False)
    sight.take([("grace", cursor_of(2, 0)), ("linus", cursor_of(2, 0))], 300)
    assert sight.right() == 1


@given(st.lists(st.integers(0, 19), max_size=30))
def test_every_move_is_told_once_or_not_at_all(shown: list[int]) -> None:
    times = [100 + 10 * number for number in range(20)]
    sight = Sight("ada", {"ada": moved(0), "grace": moved(1, *times)}, timed=True)
    for number in shown:
        sight.take([("grace", cursor_of(1, number))], 1_000)
    assert [made for made, _ in sight.lags] + sight.untold() == times


def test_lags_are_those_of_the_window_and_what_never_came_is_late() -> None:
    told = [(500_000, 9_000), (1_500_000, 20_000), (2_500_000, 9_000)]
    assert lags_within(told, [1_900_000, 2_600_000], 1, 2, ended=5) == ([20, 3_100], 1)


def test_each_way_hears_what_its_server_says() -> None:
    cursor, user = cursor_of(3, 7), {"id": "u", "name": "Ada", "avatar": None}
    person = {"user": user, "connections": 1, "status": "active", "typing": False, "cursor": cursor, "left": False}
    told = {"type": "presence", "log": "session:1", "total": 1}
    said: dict[CursorDialect, list[dict[str, Any]]] = {
        "hanzo": [{**told, "changes": [person]}, {**told, "users": [person]}],
        "ws": [{"type": "cursor", "user": user, "cursor": cursor}],
    }
    for dialect, events in said.items():
        for event in events:
            assert cursors.WAYS[dialect].hear(json.dumps(event).encode()) == [("u", cursor)]
    hear = cursors.WAYS["socket.io"].hear
    assert hear(b"42" + json.dumps(["cursor", said["ws"][0]]).encode()) == [("u", cursor)]
    assert hear(b"3") is None
    assert cursors.WAYS["hanzo"].hear(b'{"type":"ok","id":4}') is None
    with pytest.raises(ValueError, match="rate_limited: slow down"):
        cursors.WAYS["hanzo"].hear(b'{"type":"error","id":4,"code":"rate_limited","message":"slow down"}')


def test_what_is_told_is_a_command_of_the_wire() -> None:
    cursor = cursor_of(3, 7)
    command = parse_command(cursors.WAYS["hanzo"].tell("the-plan", 5, cursor).decode())
    assert (command.type, command.session, command.cursor) == ("presence.set", "the-plan", cursor)  # type: ignore[union-attr]


def test_a_task_survives_the_pipe() -> None:
    shape = ViewerShape(port=1, path="/", identities=[{"a": "b"}], steps=[Step("40", "{")])
    task = CrowdTask(shape, ["a"], "s", "ws", 30, 1, "x", [1], [2])
    assert CrowdTask.from_json(json.loads(json.dumps(task.to_json()))) == task


def test_a_row_is_of_the_window_and_says_why_it_must_not_be_quoted() -> None:
    movement = p10.Movement(people=2, rate=10)
    before = dict.fromkeys(("time", "own_cpu", "server_cpu", "broker_cpu", "made", "others", "bytes", "changes"), 1.0)
    after = {name: value + 10 for name, value in before.items()} | {"made": 201, "frames": [110, 210], "server_rss": 1}
    done = {"right": 2, "pairs": 2, "late": 0.001, "lost": 0, "refused": 0}
    row = p10.row(CURSORS[0], "1", movement, {**before, "frames": [10, 10]}, after, done, [1, 2, 3], 0)
    assert (row.frames_per_second, row.frames_most, row.moves_per_second) == (15, 20, 20)
    assert row.invalid == "generator-bound (100% of a core)"
    slow = p10.row(
        CURSORS[0], "1", movement, {**before, "frames": [0, 0]}, {**after, "made": 101, "own_cpu": 2},
        {**done, "lost": 1, "refused": 3}, [1], 0,
    )  # fmt: skip
    assert slow.invalid == "moves slower than asked (10 of 20/s); 1 sockets closed by the server; 3 moves refused"
