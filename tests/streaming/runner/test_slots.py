"""As many streams as may run at once, and who is next: with real workers and their node."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from streaming import positions, slots
from streaming.models import Stream, StreamStatus
from streaming.runner import reaper
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, ask, ended, row, until

SLOW = "script-slow@rate=20,tokens=4000"


@pytest.fixture(autouse=True)
def two_at_once(settings: Any) -> None:
    settings.MAX_CONCURRENT_STREAMS = 2


def is_running(stream: Any) -> bool:
    return row(stream).status == "running"


def test_what_finds_no_room_waits_and_runs_when_there_is(crew: Crew, owner: Any, settings: Any) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = False
    crew.celery(MAX_CONCURRENT_STREAMS="2")
    first, second, third = (ask(owner, model=SLOW).stream for _ in range(3))
    until(lambda: slots.parked().count() == 1)
    (waiting,) = slots.parked().values_list("pk", flat=True)
    running = [stream for stream in (first, second, third) if stream != waiting]
    assert all(until(lambda stream=stream: is_running(stream)) for stream in running)
    until(lambda: len(crew.node.asked) == 2)
    stop_stream(owner, running[0])
    until(lambda: is_running(waiting))
    until(lambda: len(crew.node.asked) == 3)
    for stream in (running[1], waiting):
        stop_stream(owner, stream)
        ended(stream)
    assert slots.holding().count() == 0


def test_one_persons_flood_keeps_nobody_else_waiting(crew: Crew, owner: Any, teammate: Any) -> None:
    worker = crew.here()
    flood = [ask(owner, model=SLOW).stream for _ in range(6)]
    for stream in flood[:2]:
        crew.carry(worker, stream)
        until(lambda stream=stream: is_running(stream))
    for stream in flood[2:]:
        crew.carry(worker, stream).result(15)
    other = ask(teammate, model=SLOW).stream
    crew.carry(worker, other).result(15)
    assert slots.parked().count() == 5
    # The owner was served last before it came, and so is once more; then it is its turn, before the rest of the flood.
    assert [slots.turns(100)[stream] for stream in (flood[2], other, flood[3])] == [0, 1, 2]
    for number, stream in enumerate((flood[2], other)):
        stop_stream(owner, flood[number])
        until(lambda stream=stream: row(stream).admitted_at)
        crew.carry(worker, stream)
        until(lambda stream=stream: is_running(stream))
    until(lambda: len(crew.node.asked) == 4)
    for stream in (*flood, other):
        stop_stream(owner if stream != other else teammate, stream)
        ended(stream)


def test_a_newcomer_does_not_take_the_slot_of_one_who_waits(crew: Crew, owner: Any, teammate: Any) -> None:
    worker = crew.here()
    first, second, waits = (ask(owner, model=SLOW).stream for _ in range(3))
    for stream in (first, second):
        crew.carry(worker, stream)
        until(lambda stream=stream: is_running(stream))
    crew.carry(worker, waits).result(15)
    stop_stream(owner, first)
    ended(first)
    until(lambda: row(waits).admitted_at)  # it holds the slot now, though no worker has it
    newcomer = ask(teammate, model=SLOW).stream
    crew.carry(worker, newcomer).result(15)
    assert row(newcomer).parked
    assert slots.holding().count() == 2
    for stream in (second, waits, newcomer):
        stop_stream(teammate if stream == newcomer else owner, stream)
        ended(stream)


def test_the_parked_are_not_sent_again_and_those_admitted_are(crew: Crew, owner: Any) -> None:
    streams = [ask(owner).stream for _ in range(2)]
    long_ago = timezone.now() - 2 * reaper.LOST_AFTER
    Stream.objects.update(enqueued_at=long_ago, parked=True)
    assert reaper.send_again() == 0
    Stream.objects.filter(pk=streams[0]).update(admitted_at=long_ago)
    assert reaper.send_again() == 1
    assert row(streams[0]).enqueued_at > long_ago


def test_a_slot_that_nobody_noticed_becoming_free_is_given_by_the_next_look(crew: Crew, owner: Any) -> None:
    first, second, waits = (ask(owner).stream for _ in range(3))
    Stream.objects.filter(pk__in=(first, second)).update(status=StreamStatus.RUNNING, lease="w")
    Stream.objects.filter(pk=waits).update(parked=True)
    assert slots.fill() == 0
    Stream.objects.filter(pk=first).update(status=StreamStatus.WAITING, lease="")  # for a person: holds no slot
    assert slots.fill() == 1
    assert row(waits).admitted_at is not None
    assert slots.fill() == 0


def test_who_waits_for_a_slot_is_told_how_many_are_before(
    crew: Crew, owner: Any, teammate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, int] = {}

    class Log:
        def publish(self, log: str, type: str, body: dict[str, Any]) -> None:
            told[body["stream"]] = body["queue_position"]

    monkeypatch.setattr(positions, "blocking_log", Log)
    streams = [ask(owner).stream for _ in range(3)]
    streams.append(ask(teammate).stream)
    for number, stream in enumerate(streams):
        moment = timezone.now() - timedelta(seconds=20 - number)
        Stream.objects.filter(pk=stream).update(parked=True, created_at=moment)
    positions.tell()
    assert [told[str(stream)] for stream in streams] == [0, 2, 3, 1]


def test_without_a_number_of_the_operators_it_grows_with_the_workers(settings: Any, crew: Crew) -> None:
    settings.MAX_CONCURRENT_STREAMS = None
    assert slots.limit() == slots.FOR_EACH_WORKER
    crew.here(), crew.here()
    until(lambda: slots.limit() == 2 * slots.FOR_EACH_WORKER)
