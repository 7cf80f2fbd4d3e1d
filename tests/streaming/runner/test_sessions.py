"""Streams of a session: one at a time, in order, each asked once; and what the model is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import Message
from streaming import queueing
from streaming.models import Stream
from streaming.runner.worker import WorkerProcess
from streaming.services import start_stream, stop_stream
from tests.streaming.runner.house import Crew, ask, ended, events, row, terminal, until

SLOW = "script-slow@rate=50,tokens=2000"


def test_it_writes_the_reply_into_the_session(crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any) -> None:
    started = ask(owner, "say this", session="the-plan")
    assert started.log == live_session.log
    crew.carry(worker, started.stream).result(15)
    reply = Message.objects.get(pk=started.reply)
    assert (reply.status, reply.finish_reason, reply.stream) == ("complete", "stop", started.stream)
    assert reply.content == row(started.stream).content != ""
    kinds = [event["type"] for event in events(started.log) if event["type"] not in ("token", "member")]
    assert kinds == ["message", "message", "stream_start", "complete"]


def test_it_tells_the_model_what_was_said_before_and_by_whom(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, live_session: Any
) -> None:
    first = ask(owner, "one", session="the-plan")
    crew.carry(worker, first.stream).result(15)
    failed = ask(owner, "two", model="script-error-midway", session="the-plan")
    crew.carry(worker, failed.stream).result(15)
    last = ask(teammate, "three", session="the-plan")
    crew.carry(worker, last.stream).result(15)
    messages = crew.node.asked[-1].messages
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[2]["content"] == row(first.stream).content
    assert messages[3]["content"] == "Olga: two\n\nTariq: three"


def test_it_runs_one_stream_at_a_time_in_the_order_of_asking(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    first, second, third = (ask(owner, word, model=SLOW, session="the-plan") for word in ("a", "b", "c"))
    running = crew.carry(worker, first.stream)
    until(lambda: row(first.stream).status == "running")
    assert crew.carry(worker, second.stream).result(15)
    assert row(second.stream).status == "queued"
    stop_stream(owner, first.stream)
    running.result(15)
    assert crew.carry(worker, third.stream).result(15)
    assert row(third.stream).status == "queued"
    running = crew.carry(worker, second.stream)
    until(lambda: row(second.stream).status == "running")
    stop_stream(owner, third.stream)
    stop_stream(owner, second.stream)
    running.result(15)
    ends = [event["stream"] for event in events(live_session.log) if event["type"] == "complete"]
    assert ends == [str(first.stream), str(third.stream), str(second.stream)]


@pytest.mark.timeout(150)
def test_it_sends_the_next_stream_when_one_ends(crew: Crew, owner: Any, live_session: Any) -> None:
    crew.celery()
    asked = [ask(owner, word, model="script-fast", session="the-plan") for word in "abcd"]
    for started in asked:
        assert ended(started.stream, within=4).status == "complete"
    order = [event["stream"] for event in events(live_session.log) if event["type"] in ("stream_start", "complete")]
    assert order == [str(started.stream) for started in asked for _ in range(2)]


def test_it_interrupts_the_running_answer(crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any) -> None:
    first = ask(owner, "a", model=SLOW, session="the-plan")
    running = crew.carry(worker, first.stream)
    until(lambda: row(first.stream).status == "running")
    second = ask(owner, "b", session="the-plan", overlap="interrupt")
    running.result(15)
    crew.carry(worker, second.stream).result(15)
    assert (row(first.stream).status, row(second.stream).status) == ("stopped", "complete")


def test_it_rejects_a_prompt_while_an_answer_is_written(owner: Any, live_session: Any, crew: Crew) -> None:
    ask(owner, "a", session="the-plan")
    with pytest.raises(LiveError) as refusal:
        ask(owner, "b", session="the-plan", overlap="reject")
    assert refusal.value.code == ErrorCode.CONFLICT
    assert Message.objects.filter(content="b").count() == 0


def test_it_bounds_the_queue_of_a_session(owner: Any, live_session: Any, crew: Crew) -> None:
    for n in range(queueing.MAX_QUEUED + 1):
        ask(owner, str(n), session="the-plan")
    with pytest.raises(LiveError) as refusal:
        ask(owner, "one too many", session="the-plan")
    assert refusal.value.code == ErrorCode.BUSY


@pytest.mark.parametrize("session", ["the-plan", None])
def test_it_starts_once_for_one_key_however_many_ask(
    owner: Any, live_session: Any, crew: Crew, session: str | None
) -> None:
    def start(_: int) -> Any:
        from django.db import connection

        try:
            return ask(owner, "once", session=session, key="k-1")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        started = list(threads.map(start, range(8)))
    assert len({each.stream for each in started}) == 1
    assert sorted(each.existing for each in started) == [False, *[True] * 7]
    assert Stream.objects.count() == 1
    assert Message.objects.count() == (2 if session else 0)


def test_it_gives_a_retry_its_stream_even_where_overlap_is_rejected(owner: Any, live_session: Any, crew: Crew) -> None:
    first = ask(owner, "a", session="the-plan", key="k", overlap="reject")
    assert ask(owner, "a", session="the-plan", key="k", overlap="reject").stream == first.stream


def test_it_lets_nobody_prompt_who_may_only_watch(viewer: Any, outsider: Any, live_session: Any, crew: Crew) -> None:
    for user, code in (
        (viewer, ErrorCode.FORBIDDEN),
        (outsider, ErrorCode.NOT_FOUND),
        (None, ErrorCode.UNAUTHENTICATED),
    ):
        with pytest.raises(LiveError) as refusal:
            ask(user, session="the-plan")
        assert refusal.value.code == code


def test_it_lets_an_anonymous_caller_start_a_stream_where_that_is_allowed(settings: Any, crew: Crew) -> None:
    settings.ALLOW_ANONYMOUS = True
    started = ask(None, key="k")
    assert not ask(None, key="k").existing, "a key of nobody's is everybody's"
    assert stop_stream(None, started.stream) == "stopped"
    settings.ALLOW_ANONYMOUS = False
    with pytest.raises(LiveError) as refusal:
        ask(None)
    assert refusal.value.code == ErrorCode.UNAUTHENTICATED


def test_it_takes_one_new_prompt_in_a_session_and_no_history(owner: Any, live_session: Any, crew: Crew) -> None:
    from hanzo_live.protocol import StreamOptions

    history = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    with pytest.raises(LiveError) as refusal:
        start_stream(owner, StreamOptions(), session_ref="the-plan", messages=history)
    assert refusal.value.field == "messages"
    start_stream(owner, StreamOptions(), session_ref="the-plan", messages=history[-1:])
    assert Message.objects.filter(content="c").exists()


def test_it_writes_nothing_for_a_session_that_was_deleted_meanwhile(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    from sessions.services import delete_session

    started = ask(owner, model=SLOW, session="the-plan")
    running = crew.carry(worker, started.stream)
    until(lambda: row(started.stream).status == "running")
    delete_session(live_session)
    assert running.result(15)
    assert terminal(started.log, started.stream) == []
    until(lambda: crew.node.asked[0].state == "cancelled")
