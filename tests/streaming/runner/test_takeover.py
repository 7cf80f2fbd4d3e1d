"""Workers die, freeze and leave; the stream goes on in another one and ends once."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from hanzolive.nodes.scripted import expected_text, expected_thoughts
from streaming.log import LogWriter
from streaming.models import Stream, Worker
from streaming.runner import leases, reaper
from streaming.runner import run as runner
from streaming.runner.worker import WorkerProcess
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, ask, ended, events, folded, row, terminal, until

SLOW = "script-slow@rate=50,tokens=150"
PROMPT = [{"role": "user", "content": "tell me"}]


def begun(started: Any) -> None:
    until(lambda: any(event["type"] == "token" for event in events(started.log)))


def whole_and_once(started: Any, text: str) -> None:
    stream = row(started.stream)
    assert stream.status == "complete"
    until(lambda: terminal(started.log, started.stream))  # the log follows the database
    assert stream.content == text == folded(started.log, started.stream).content
    told = [event for event in events(started.log) if event["stream"] == str(started.stream)]
    assert [event["type"] for event in told].count("stream_start") == 1
    assert len(terminal(started.log, started.stream)) == 1
    assert told[-1]["type"] == "complete"


def resets(started: Any) -> int:
    return [event["type"] for event in events(started.log)].count("reset")


def leave_behind(started: Any) -> None:
    """Make the stream look as after the SIGKILL of the worker that carried it."""
    Worker.objects.create(pk="dead", seen_at=Now() - timedelta(seconds=10))
    assert Stream.objects.filter(pk=started.stream, status="running").update(lease="dead")


def abandoned(crew: Crew, started: Any) -> None:
    """Have the stream begun by a worker that then loses its lease, and taken from it by a reaper."""
    first = crew.here()
    crew.carry(first, started.stream)
    begun(started)
    leave_behind(started)
    reaper.take_over_lost()
    until(lambda: not first._runs)


@pytest.mark.timeout(150)
def test_it_survives_the_sigkill_of_its_worker(crew: Crew, owner: Any) -> None:
    crew.celery(2)
    started = ask(owner, model=SLOW)
    begun(started)
    crew.carrier_of(started.stream).kill()
    killed = time.monotonic()
    until(lambda: resets(started))
    assert time.monotonic() - killed <= 5
    ended(started.stream)
    assert row(started.stream).fence == 2
    whole_and_once(started, expected_text(SLOW, PROMPT))


@pytest.mark.timeout(150)
def test_it_survives_the_sigkill_of_its_worker_while_the_model_thinks(crew: Crew, owner: Any) -> None:
    model = "script-thoughts@thoughts=150,rate=50,tokens=20"
    crew.celery(2)
    started = ask(owner, model=model)
    until(lambda: any(event["type"] == "thought" for event in events(started.log)))
    crew.carrier_of(started.stream).kill()
    ended(started.stream)
    whole_and_once(started, expected_text(model, PROMPT))
    assert resets(started) == 1
    assert "".join(folded(started.log, started.stream).thoughts) == expected_thoughts(model, PROMPT)


@pytest.mark.timeout(150)
def test_it_survives_the_sigkill_of_its_worker_while_the_node_recovers(crew: Crew, owner: Any) -> None:
    model = "script-recover@fail=first,status=503,tokens=150,rate=50,fails=2"
    crew.celery(2)
    started = ask(owner, model=model)
    until(lambda: row(started.stream).status == "recovering")
    crew.carrier_of(started.stream).kill()
    ended(started.stream)
    whole_and_once(started, expected_text(model, PROMPT))


@pytest.mark.timeout(150)
def test_it_refuses_what_a_frozen_worker_writes_when_it_wakes(crew: Crew, owner: Any) -> None:
    crew.celery(2)
    started = ask(owner, model=SLOW)
    begun(started)
    frozen = crew.carrier_of(started.stream)
    frozen.send_signal(signal.SIGSTOP)
    until(lambda: resets(started))
    frozen.send_signal(signal.SIGCONT)
    ended(started.stream)
    # The one that woke up finds its lease gone, and lives: it takes the next stream as any other.
    until(lambda: leases.alive().count() == 2)
    whole_and_once(started, expected_text(SLOW, PROMPT))


@pytest.mark.timeout(150)
def test_it_goes_to_another_worker_when_its_own_is_told_to_leave(crew: Crew, owner: Any) -> None:
    crew.celery(2)
    started = ask(owner, model=SLOW)
    begun(started)
    leaving = crew.carrier_of(started.stream)
    leaving.terminate()
    until(lambda: row(started.stream).fence == 2, within=2)
    assert row(started.stream).takeovers == 0
    assert leaving.wait(5) == 0
    ended(started.stream)
    whole_and_once(started, expected_text(SLOW, PROMPT))


def test_it_gives_up_what_the_log_says_is_anothers(crew: Crew, owner: Any) -> None:
    started = ask(owner, model="script-slow@rate=50,tokens=2000")
    done = crew.carry(crew.here(), started.stream)
    begun(started)

    async def raise_fence() -> int:
        writer = LogWriter(settings.REDIS_URL)
        try:
            return await writer.raise_fence(started.log, str(started.stream), 9)
        finally:
            await writer.close()

    last = asyncio.run(raise_fence())
    assert done.result(15)
    assert sum(event["type"] == "token" for event in events(started.log)) == last
    assert terminal(started.log, started.stream) == []
    until(lambda: crew.node.asked[0].state == "cancelled")


def test_it_begins_again_where_the_engine_cannot_continue(crew: Crew, owner: Any) -> None:
    started = ask(owner, model=SLOW)
    abandoned(crew, started)
    assert row(started.stream).status == "recovering"
    crew.carry(crew.here(), started.stream).result(15)
    assert resets(started) == 1
    whole_and_once(started, expected_text(SLOW, PROMPT))


def test_it_continues_where_the_engine_can(crew: Crew, owner: Any) -> None:
    model = "script-continue@rate=50,tokens=100"
    started = ask(owner, model=model, max_tokens=1000)
    abandoned(crew, started)
    so_far = folded(started.log, started.stream).content
    crew.carry(crew.here(), started.stream).result(15)
    assert resets(started) == 0
    assert crew.node.asked[-1].messages[-1] == {"role": "assistant", "content": so_far}
    whole_and_once(started, expected_text(model, PROMPT))
    usage = row(started.stream).usage
    assert usage["estimated"]
    assert abs(usage["completion_tokens"] - 100) <= 1


def test_it_stops_a_stream_that_waits_for_a_new_worker(crew: Crew, owner: Any) -> None:
    started = ask(owner, model=SLOW)
    abandoned(crew, started)
    so_far = folded(started.log, started.stream).content
    assert stop_stream(owner, started.stream) == "recovering"
    crew.carry(crew.here(), started.stream).result(15)
    stream = row(started.stream)
    assert (stream.status, stream.content) == ("stopped", so_far)
    assert len(crew.node.asked) == 1


def test_it_ends_an_answer_that_takes_its_workers_down(crew: Crew, owner: Any) -> None:
    started = ask(owner, model=SLOW)
    abandoned(crew, started)
    Stream.objects.update(takeovers=runner.MAX_TAKEOVERS + 1)
    crew.carry(crew.here(), started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], end["partial"]) == ("stream_interrupted", True)


def test_it_counts_the_time_of_all_its_workers(crew: Crew, owner: Any) -> None:
    started = ask(owner, model=SLOW)
    abandoned(crew, started)
    Stream.objects.update(started_at=Now() - timedelta(seconds=1000))
    crew.carry(crew.here(), started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert end["code"] == "stream_timeout"


def test_it_leaves_the_streams_of_the_living_alone(crew: Crew, owner: Any) -> None:
    worker = crew.here()
    started = ask(owner, model="script-silent")
    crew.carry(worker, started.stream)
    until(lambda: row(started.stream).status == "running" and worker._runs)
    assert reaper.take_over_lost() == 0
    stop_stream(owner, started.stream)


def test_a_database_that_keeps_everybody_waiting_makes_nobody_dead(crew: Crew, owner: Any) -> None:
    model = "script-slow@rate=50,tokens=60"
    workers = [crew.here(), crew.here()]
    started = ask(owner, model=model)
    done = crew.carry(workers[0], started.stream)
    begun(started)
    until(lambda: Worker.objects.count() == 2)
    with transaction.atomic():  # on SQLite this alone keeps others from writing
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE streaming_stream, streaming_worker IN EXCLUSIVE MODE")
        until(lambda: Worker.objects.filter(seen_at__lt=Now() - leases.DEAD_AFTER).count() == 2, 60)
        until(lambda: not any(worker._may_judge() for worker in workers))
        assert crew.node.asked[0].state == "complete"
        assert not done.done()
    assert done.result(15)
    until(lambda: all(worker._may_judge() for worker in workers))
    assert row(started.stream).takeovers == 0
    whole_and_once(started, expected_text(model, PROMPT))


def test_it_sends_again_what_it_claimed_without_hearing_so(crew: Crew, owner: Any) -> None:
    worker = crew.here()
    started = ask(owner, model="script-fast")
    Stream.objects.update(status="running", lease=worker.id, fence=1, started_at=Now())
    until(lambda: row(started.stream).status == "recovering")
    assert crew.carry(worker, started.stream).result(15)
    assert row(started.stream).fence == 2
    assert folded(started.log, started.stream).content == expected_text("script-fast", PROMPT)


def test_it_sends_a_lost_task_again_but_not_out_of_turn(owner: Any, live_session: Any, crew: Crew) -> None:
    first, second = (ask(owner, word, session="the-plan") for word in "ab")
    alone = ask(owner)
    assert reaper.send_again() == 0
    Stream.objects.update(enqueued_at=Now() - timedelta(seconds=6))
    assert reaper.send_again() == 2
    assert reaper.send_again() == 0
    fresh = set(Stream.objects.filter(enqueued_at__gte=Now() - timedelta(seconds=5)).values_list("pk", flat=True))
    assert fresh == {first.stream, alone.stream}
    assert second.stream not in fresh


def test_it_forgets_workers_that_are_long_gone(transactional_db: None) -> None:
    Worker.objects.create(pk="old", seen_at=Now() - timedelta(minutes=2))
    Worker.objects.create(pk="late", seen_at=Now() - timedelta(seconds=10))
    leases.forget_the_dead()
    assert [worker.pk for worker in Worker.objects.all()] == ["late"]
    leases.beat("new")
    assert [worker.pk for worker in leases.alive()] == ["new"]


def test_it_hands_over_what_it_carries_when_it_stops(crew: Crew, owner: Any) -> None:
    worker: WorkerProcess = crew.here()
    started = ask(owner, model=SLOW)
    done = crew.carry(worker, started.stream)
    begun(started)
    worker.stop()
    assert done.result(5) is False
    assert (row(started.stream).status, row(started.stream).lease) == ("recovering", "")
    assert Worker.objects.count() == 0
