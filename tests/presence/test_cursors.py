"""Cursors: merged on the way, never more than 20 frames a second to anybody, and the last position is never lost."""

from __future__ import annotations

import asyncio
import random

import pytest
import redis.asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import VALKEY
from tests.presence.conftest import LOG, Processes, Watching

MOST_A_SECOND = 20


def most_in_a_second(viewer: Watching) -> int:
    """The most frames that came within any second, its end not included."""
    times = [at for at, _ in viewer.frames]
    return max(sum(1 for other in times if at <= other < at + 1 - 1e-6) for at in times)


moves = st.lists(
    st.tuples(
        st.integers(0, 5),  # who: each has a socket in both processes
        st.integers(0, 1),  # where
        st.sampled_from(["move", "move", "move", "hide", "typing", "leave", "cut", "slow", "removed"]),
        st.floats(0, 0.04),  # how long after the one before
    ),
    max_size=60,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves, seed=st.integers(0, 2**16))
def test_everybody_ends_with_what_everybody_did_last(moves: list[tuple[int, int, str, float]], seed: int) -> None:
    VALKEY.empty()
    asyncio.run(_everybody_moves(moves, random.Random(seed)))


async def _everybody_moves(moves: list[tuple[int, int, str, float]], chance: random.Random) -> None:
    processes = Processes(VALKEY.url)
    try:
        where = [await processes.start(), await processes.start()]
        sockets: dict[tuple[int, int], Watching] = {}
        observers = [process.enter("observer", f"observer {i}") for i, process in enumerate(where)]
        viewers = list(observers)
        for step, (who, place, what, pause) in enumerate(moves):
            process, name = where[place], f"person {who}"
            if (who, place) not in sockets:
                viewers.append(process.enter(name))
                sockets[who, place] = viewers[-1]
            if what == "move":
                process.update(name, cursor={"step": step})
            elif what == "hide":
                process.update(name, cursor=None)
            elif what == "typing":
                process.update(name, typing=chance.random() < 0.5)
            elif what == "slow":
                sockets[who, place].takes = not sockets[who, place].takes
            elif what == "removed":
                for each in where:
                    each.attendance.evict(LOG, f"id of {name}")
                for i in (0, 1):
                    sockets.pop((who, i), None)
            else:
                process.leave(name, linger=what == "cut")
                del sockets[who, place]
            await processes.pass_time(pause)
            await asyncio.sleep(0)
        for socket in sockets.values():
            socket.takes = True
        await processes.settle()
        await processes.pass_time(10, 0.1)
        for process in where:
            process.attendance.tick()
        await processes.settle()

        here = {f"person {who}" for who, _ in sockets} | {"observer"}
        for viewer in [*observers, *sockets.values()]:
            assert viewer.names == here
            assert viewer.people == observers[0].people
        for (who, place), _ in sockets.items():
            mine = where[place].attendance._rooms[LOG].mine[f"p{place + 1}.person {who}"].connection
            shown = observers[0].of(f"person {who}")
            if (who, 1 - place) not in sockets:
                assert (shown["cursor"], shown["typing"]) == (mine.cursor, False)
        assert max(map(most_in_a_second, (viewer for viewer in viewers if viewer.frames))) <= MOST_A_SECOND
    finally:
        await processes.close()


@pytest.mark.parametrize("people", [5, 50])
async def test_what_it_costs_does_not_grow_with_the_moves(processes: Processes, people: int) -> None:
    """Announcements and frames are bounded by time, whoever moves how often."""
    one, other = await processes.start(), await processes.start()
    watching = [(one, other)[i % 2].enter(f"person {i}") for i in range(people)]
    await processes.until(lambda: all(len(each.people) == people for each in watching))
    await processes.settle()
    announced = one.attendance._rooms[LOG].number
    for each in watching:
        each.frames.clear()
    encoded = _count_encodings(processes)
    begun = processes.clock.time()
    for step in range(60):  # two seconds at 30 a second
        for i in range(people):
            (one, other)[i % 2].update(f"person {i}", cursor={"x": step, "y": i})
        await processes.pass_time(1 / 30, 1 / 90)
        await asyncio.sleep(0.001)
    seconds = processes.clock.time() - begun
    await processes.settle()
    for each in watching:
        assert most_in_a_second(each) <= MOST_A_SECOND
        assert [each.of(f"person {i}")["cursor"] for i in range(people)] == [{"x": 59, "y": i} for i in range(people)]
    # Per process 20 announcements a second and a last one; per process one encoding for all its viewers.
    assert one.attendance._rooms[LOG].number - announced <= 2 * (MOST_A_SECOND * seconds + 2)
    assert len(encoded) <= 2 * (MOST_A_SECOND * seconds + 4)


def _count_encodings(processes: Processes) -> list[object]:
    encoded: list[object] = []
    for process in processes.all:
        process.attendance._rooms[LOG]._frame_of = lambda event: encoded.append(event) or event
    return encoded


async def test_thousands_of_viewers_hear_less_often_rather_than_hold_the_process_up(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("presence.room.FRAMES_A_SECOND", 100)
    process = await processes.start()
    tabs = [process.enter("Ada", f"tab {i}") for i in range(50)]
    await processes.until(lambda: all(tab.names == {"Ada"} for tab in tabs))
    for tab in tabs:
        tab.frames.clear()
    for x in range(100):
        process.update("tab 0", cursor={"x": x})
        await processes.pass_time(0.05)
    assert sum(len(tab.frames) for tab in tabs) <= 100 * (5 + 1)
    await processes.until(lambda: all(tab.of("Ada")["cursor"] == {"x": 99} for tab in tabs))


async def test_an_update_costs_no_round_trip(processes: Processes, redis_url: str) -> None:
    process = await processes.start()
    ada = process.enter("Ada")
    await processes.until(lambda: ada.frames)
    await processes.settle()
    client = redis.asyncio.Redis.from_url(redis_url)
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    for x in range(1_000):
        process.update("Ada", cursor={"x": x})
    await processes.until(lambda: ada.of("Ada")["cursor"] == {"x": 999})
    await processes.settle()
    assert (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] - before <= 2
    await client.aclose()
