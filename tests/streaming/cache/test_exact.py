"""The same question again is answered at once, from the cache, and to nobody else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from allauth.socialaccount.models import SocialAccount

from hanzo_live.protocol.errors import LiveError
from hanzo_live.protocol.options import CacheOptions, FunctionSpec, RouteOptions
from sessions.models import Message, OutboxRow
from sessions.services import create_session
from streaming import endings, outbox, services
from streaming.cache import queued
from streaming.cache.store import the_store
from streaming.log import BlockingLog
from streaming.models import Stream
from streaming.runner import lifecycle
from streaming.runner.worker import WorkerProcess
from streaming.services import Started
from tests.streaming.runner.house import Crew, ask, events, folded, row, terminal, until

CACHED = CacheOptions(enabled=True)
SLOW = "script-slow@rate=50,tokens=2000"


def asked(crew: Crew, worker: WorkerProcess, user: Any, prompt: str = "tell me", **options: Any) -> Started:
    """A stream that has ended, whoever answered it."""
    started = ask(user, prompt, cache=options.pop("cache", CACHED), **options)
    crew.carry(worker, started.stream).result(15)
    return started


def how(started: Started) -> str:
    return str(row(started.stream).cached)


def test_the_same_question_is_answered_without_a_worker(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    first = asked(crew, worker, owner, model="script-fast")
    again = ask(owner, model="script-fast", cache=CACHED)
    before, after = row(first.stream), row(again.stream)
    assert (before.cached, after.cached, after.status) == ("", "exact", "complete")
    assert (after.content, after.usage) == (before.content, before.usage)
    assert (after.model, after.node) == (before.model, before.node)
    assert len(crew.node.asked) == 1
    told = events(again.log)
    assert [event["type"] for event in told] == ["stream_start", "token", "complete"]
    assert told[0]["cached"] == told[2]["cached"] == "exact"
    assert told[1]["n"] == after.usage["completion_tokens"]
    state = folded(again.log, again.stream)
    assert (state.content, state.status, state.usage) == (after.content, "complete", after.usage)
    assert not OutboxRow.objects.exists()


def test_thoughts_are_given_again_too(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    first = asked(crew, worker, owner, model="script-thoughts")
    again = ask(owner, model="script-thoughts", cache=CACHED)
    assert row(again.stream).parts == row(first.stream).parts != []
    assert folded(again.log, again.stream).thoughts == folded(first.log, first.stream).thoughts


def test_a_session_is_answered_in_its_place(crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any) -> None:
    alone = asked(crew, worker, owner, "say this")
    started = ask(owner, "say this", session="the-plan", cache=CACHED)
    assert how(started) == "exact"
    reply = Message.objects.get(pk=started.reply)
    assert (reply.status, reply.finish_reason, reply.content) == ("complete", "stop", row(alone.stream).content)
    kinds = [event["type"] for event in events(started.log) if event["type"] != "member"]
    assert kinds == ["message", "message", "stream_start", "token", "complete"] or kinds == [
        "message", "message", "session", "stream_start", "token", "complete",
    ]  # fmt: skip
    assert terminal(started.log, started.stream)[0]["message"] == str(started.reply)


def test_what_was_said_before_is_a_part_of_the_question(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    asked(crew, worker, owner, "say this", session="the-plan")
    second = asked(crew, worker, owner, "say this", session="the-plan")
    assert how(second) == ""
    assert len(crew.node.asked) == 2


def test_behind_one_that_is_being_written_it_waits(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    asked(crew, worker, owner, "say this")
    slow = ask(owner, "write", model=SLOW, session="the-plan")
    running = crew.carry(worker, slow.stream)
    until(lambda: row(slow.stream).status == "running")
    behind = ask(owner, "say this", session="the-plan", cache=CACHED)
    assert row(behind.stream).status == "queued"
    services.stop_stream(owner, slow.stream)
    assert running.result(15)


def said_before(crew: Crew, worker: WorkerProcess, user: Any) -> None:
    """A session in which one thing was asked and then another, whose answer is kept."""
    create_session(user, slug="before")
    asked(crew, worker, user, "one", session="before", cache=None)
    asked(crew, worker, user, "two", session="before")


def test_what_waited_behind_another_is_answered_in_its_turn(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    said_before(crew, worker, owner)
    first, second, third = (
        ask(owner, prompt, session="the-plan", cache=cache)
        for prompt, cache in (("one", None), ("two", CACHED), ("three", None))
    )
    assert [row(each.stream).status for each in (first, second, third)] == ["queued"] * 3
    for each in (first, second, third):
        crew.carry(worker, each.stream).result(15)
    assert [how(each) for each in (first, second, third)] == ["", "exact", ""]
    assert [entry.messages[-1]["content"] for entry in crew.node.asked[2:]] == ["one", "three"]
    given = row(second.stream)
    reply = Message.objects.get(pk=second.reply)
    assert (given.status, given.content, given.node) == ("complete", "two", "local")
    assert (reply.status, reply.finish_reason, reply.content) == ("complete", "stop", "two")
    told = [event for event in events(second.log) if event.get("stream") == str(second.stream)]
    assert [event["type"] for event in told] == ["stream_start", "token", "complete"]
    assert told[0]["cached"] == told[2]["cached"] == "exact"
    ends = [event["stream"] for event in events(second.log) if event["type"] == "complete"]
    assert ends == [str(each.stream) for each in (first, second, third)]


def test_before_its_turn_nothing_is_given(crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any) -> None:
    said_before(crew, worker, owner)
    first = ask(owner, "one", session="the-plan")
    second = ask(owner, "two", session="the-plan", cache=CACHED)
    crew.carry(worker, second.stream).result(15)
    assert (row(second.stream).status, how(second)) == ("queued", "")
    crew.carry(worker, first.stream).result(15)
    crew.carry(worker, second.stream).result(15)
    assert how(second) == "exact"


def test_of_two_workers_that_come_for_it_one_gives_it(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    said_before(crew, worker, owner)
    first = ask(owner, "one", session="the-plan")
    second = ask(owner, "two", session="the-plan", cache=CACHED)
    crew.carry(worker, first.stream).result(15)
    both = [crew.carry(each, second.stream) for each in (worker, crew.here())]
    assert [each.result(15) for each in both] == [True, True]
    assert how(second) == "exact"
    assert len(terminal(second.log, second.stream)) == 1


def test_what_was_taken_back_while_it_waited_is_not_given(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    said_before(crew, worker, owner)
    first = ask(owner, "one", session="the-plan")
    second = ask(owner, "two", session="the-plan", cache=CACHED)
    crew.carry(worker, first.stream).result(15)
    job = lifecycle.load(str(second.stream))
    assert job is not None
    assert job.looks_up
    services.stop_stream(owner, second.stream)
    assert not queued.answer(job.stream, job.system, job.said)
    assert (row(second.stream).status, how(second)) == ("stopped", "")
    assert len(terminal(second.log, second.stream)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"model": "script-fast"},
        {"temperature": 0.5},
        {"max_tokens": 1000},
        {"seed": 7},
        {"stop": "never"},
        {"top_p": 0.5},
        {"route": RouteOptions(force_local=True)},
        {"tools": [FunctionSpec(name="look")]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_asked_otherwise_it_is_another_question(
    crew: Crew, worker: WorkerProcess, owner: Any, change: dict[str, Any]
) -> None:
    asked(crew, worker, owner)
    assert how(asked(crew, worker, owner, **change)) == ""
    assert how(asked(crew, worker, owner, **change)) == "exact"


def test_another_node_is_asked_anew(crew: Crew, worker: WorkerProcess, owner: Any, settings: Any) -> None:
    asked(crew, worker, owner)
    settings.NODE_MODEL_ALIASES = ["script-echo=script-fast"]
    assert row(ask(owner, cache=CACHED).stream).status == "queued"


def test_nobody_gets_the_answer_of_somebody_else(crew: Crew, worker: WorkerProcess, owner: Any, outsider: Any) -> None:
    asked(crew, worker, owner)
    assert row(ask(outsider, cache=CACHED).stream).cached == ""
    assert row(ask(None, cache=CACHED).stream).cached == ""


def test_a_tenant_shares_its_answers(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, viewer: Any, settings: Any
) -> None:
    settings.IAM_ISSUERS = ["https://iam.example.com"]
    for person, tenant in ((owner, "acme"), (teammate, "acme"), (viewer, "other")):
        SocialAccount.objects.create(user=person, provider="iam", uid=str(person.pk), extra_data={"owner": tenant})
    asked(crew, worker, owner)
    assert how(ask(teammate, cache=CACHED)) == "exact"
    assert how(ask(viewer, cache=CACHED)) == ""


def test_the_operator_may_let_everybody_share(
    crew: Crew, worker: WorkerProcess, owner: Any, outsider: Any, settings: Any
) -> None:
    settings.CACHE_SHARED = True
    asked(crew, worker, owner)
    assert how(ask(outsider, cache=CACHED)) == "exact"
    assert how(ask(None, cache=CACHED)) == "exact"


def test_people_without_an_account_share_where_they_are_on_this_machine(
    crew: Crew, worker: WorkerProcess, settings: Any
) -> None:
    asked(crew, worker, None)
    assert how(ask(None, cache=CACHED)) == "exact"
    settings.ON_LOOPBACK = False
    assert how(ask(None, cache=CACHED)) == ""


def test_only_who_asks_for_it_gets_it(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    asked(crew, worker, owner)
    assert how(ask(owner)) == ""
    asked(crew, worker, owner, "another", cache=CacheOptions(enabled=False))
    assert the_store().count() == 1


@pytest.mark.parametrize(
    "model",
    ["script-error-midway", "script-cut", "script-error-first", "script-filter", "script-tools"],
)
def test_only_a_whole_answer_of_the_model_is_kept(crew: Crew, worker: WorkerProcess, owner: Any, model: str) -> None:
    asked(crew, worker, owner, model=model)
    assert the_store().count() == 0


def test_an_answer_that_its_limit_cut_is_not_kept(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = asked(crew, worker, owner, model="script-fast", max_tokens=5)
    assert row(started.stream).finish_reason == "length"
    assert the_store().count() == 0


def test_a_stopped_answer_is_not_kept(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model=SLOW, cache=CACHED)
    running = crew.carry(worker, started.stream)
    until(lambda: any(event["type"] == "token" for event in events(started.log)))
    services.stop_stream(owner, started.stream)
    assert running.result(15)
    assert the_store().count() == 0


def test_it_is_kept_before_anybody_knows_that_it_is_whole(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    finish = lifecycle.finish
    monkeypatch.setattr(lifecycle, "finish", lambda *args: (kept.append(the_store().count()), finish(*args))[1])
    asked(crew, worker, owner)
    assert kept == [1]


def test_it_is_kept_for_as_long_as_was_asked(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    asked(crew, worker, owner, cache=CacheOptions(enabled=True, ttl=1))
    until(lambda: how(ask(owner, cache=CACHED)) == "")


def test_without_redis_the_model_is_asked(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streaming.cache import looking, store

    gone = store.AnswerStore("redis://127.0.0.1:1", max_entries=10, max_bytes=10_000)
    monkeypatch.setattr(looking, "the_store", lambda: gone)
    assert row(asked(crew, worker, owner).stream).status == "complete"
    assert row(asked(crew, worker, owner).stream).cached == ""


def test_where_redis_is_lost_after_the_answer_was_found_nothing_has_begun(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(crew, worker, owner)
    gone = BlockingLog("redis://127.0.0.1:1")
    monkeypatch.setattr(outbox, "blocking_log", lambda: gone)
    with pytest.raises(LiveError) as refused:
        ask(owner, cache=CACHED)
    assert (refused.value.code, refused.value.retryable) == ("busy", True)
    assert Stream.objects.count() == 1


def test_what_it_gives_is_on_the_log_before_anybody_can_know_of_the_stream(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(crew, worker, owner)
    before: list[int] = []
    append = outbox.append_first
    monkeypatch.setattr(endings, "append_first", lambda *a: (before.append(Stream.objects.count()), append(*a))[1])
    started = ask(owner, cache=CACHED)
    assert before == [1]
    assert row(started.stream).status == "complete"
    assert [event["type"] for event in events(started.log)] == ["stream_start", "token", "complete"]


def test_a_key_gives_the_same_stream_whatever_is_kept(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    first = asked(crew, worker, owner, key="once")
    again = ask(owner, cache=CACHED, key="once")
    assert (again.stream, again.existing) == (first.stream, True)
    assert isinstance(again.stream, UUID)
