"""One stream at a time: what comes of what the node says, and of those who stop it."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import structlog

from hanzo_live.protocol import StreamOptions
from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzolive.nodes.scripted import expected_text, expected_thoughts
from sessions.queries import user_wire
from streaming.endings import Outcome
from streaming.models import Stream
from streaming.runner import lifecycle, run
from streaming.runner.worker import WorkerProcess
from streaming.services import start_stream, stop_stream
from tests.streaming.runner.house import Crew, Node, ask, ended, events, folded, row, terminal, until

PROMPT = [{"role": "user", "content": "tell me"}]


def test_it_puts_the_answer_on_the_log_and_saves_it(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-fast")
    assert crew.carry(worker, started.stream).result(15)
    stream = row(started.stream)
    told = events(started.log)
    assert stream.status == "complete"
    assert stream.content == expected_text("script-fast", PROMPT)
    assert folded(started.log, started.stream).content == stream.content
    assert stream.usage == folded(started.log, started.stream).usage
    assert stream.usage["completion_tokens"] == 256
    assert [told[0]["type"], told[0]["model"], told[0]["node"]] == ["stream_start", "script-fast", "local"]
    assert told[0]["user"] == user_wire(owner)
    assert {event["type"] for event in told[1:-1]} == {"token"}
    assert told[-1]["type"] == "complete"
    assert told[-1]["finish_reason"] == stream.finish_reason == "stop"
    assert told[-1]["duration_ms"] >= told[-1]["first_token_ms"] > 0


def test_its_id_goes_to_the_node_and_into_the_log_lines(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[dict[str, Any]] = []
    started = ask(owner, model="script-error-midway")
    keep = run.Run._finish

    async def watched(self: run.Run, *args: Any) -> None:
        named.append(structlog.contextvars.get_contextvars())
        await keep(self, *args)

    monkeypatch.setattr(run.Run, "_finish", watched)
    crew.carry(worker, started.stream).result(15)
    assert named == [{"stream": str(started.stream)}]
    assert {asked.headers["x-request-id"] for asked in crew.node.asked} == {str(started.stream)}


def test_it_serves_an_unknown_model_with_the_scripted_nodes_default(
    crew: Crew, worker: WorkerProcess, owner: Any
) -> None:
    started = ask(owner, model="llama-3-8b")
    crew.carry(worker, started.stream).result(15)
    start = events(started.log)[0]
    assert (start["model"], start["requested_model"]) == ("script-echo", "llama-3-8b")


def test_it_keeps_thoughts_apart_from_the_answer(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-thoughts")
    crew.carry(worker, started.stream).result(15)
    stream, seen = row(started.stream), folded(started.log, started.stream)
    assert "".join(seen.thoughts) == "".join(expected_thoughts("script-thoughts", PROMPT))
    assert [(part["type"], part["text"]) for part in stream.parts] == [("reasoning", text) for text in seen.thoughts]
    assert stream.content == expected_text("script-thoughts", PROMPT)


def test_it_hands_tool_calls_to_a_caller_that_runs_them(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    tools = [{"name": "search_web", "description": "Search", "parameters": {"query": "string"}}]
    options = StreamOptions.model_validate({"model": "script-tools", "tools": tools})
    started = start_stream(owner, options, content="tell me", caller_runs_tools=True)
    crew.carry(worker, started.stream).result(15)
    stream, seen = row(started.stream), folded(started.log, started.stream)
    (call,) = seen.tool_calls.values()
    assert (stream.status, stream.finish_reason) == ("complete", "tool_calls")
    assert (call["tool"], call["status"]) == ("search_web", "awaiting_client")
    assert stream.parts == [{"type": "toolCall", "id": call["call"], "name": "search_web", "args": call["args"]}]
    assert any(event.get("args_delta") for event in events(started.log))
    (sent,) = crew.node.asked[0].options["tools"]
    assert sent["function"]["parameters"]["properties"] == {"query": {"type": "string"}}


@pytest.mark.parametrize(
    ("model", "code", "partial"),
    [
        ("script-error-midway", "node_error", True),
        ("script-cut", "stream_interrupted", True),
        ("script-error-first", "node_error", False),
        ("script-context", "context_length", False),
    ],
)
def test_it_ends_in_one_error_and_keeps_what_was_said(
    crew: Crew, worker: WorkerProcess, owner: Any, model: str, code: str, partial: bool
) -> None:
    started = ask(owner, model=model)
    crew.carry(worker, started.stream).result(15)
    stream = row(started.stream)
    (end,) = terminal(started.log, started.stream)
    assert (stream.status, end["type"], end["code"], end["partial"]) == ("failed", "error", code, partial)
    assert bool(stream.content) == partial
    assert folded(started.log, started.stream).content == stream.content
    assert end["usage"] == stream.usage
    assert stream.error == {"code": code, "message": end["message"], "retryable": end["retryable"]}


def test_it_fails_in_words_where_no_node_answers(crew: Crew, settings: Any, owner: Any) -> None:
    settings.NODE_URL = "http://127.0.0.1:9"
    started = ask(owner, model="llama-3-8b")
    crew.carry(crew.here(), started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], end["partial"], end["retryable"]) == ("node_unavailable", False, True)
    assert [event["type"] for event in events(started.log)] == ["stream_start", "error"]


def test_it_ends_an_answer_that_takes_too_long_and_keeps_its_text(crew: Crew, settings: Any, owner: Any) -> None:
    settings.STREAM_TIMEOUT = 0.6
    started = ask(owner, model="script-slow@rate=50,tokens=2000")
    crew.carry(crew.here(), started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], end["partial"]) == ("stream_timeout", True)
    assert row(started.stream).content
    until(lambda: crew.node.asked[0].state == "cancelled")


def test_it_keeps_a_promise_to_stay_local(crew: Crew, settings: Any, owner: Any) -> None:
    settings.NODE_URL = "https://api.example.com"
    started = ask(owner, model="script-fast", route={"force_local": True})
    crew.carry(crew.here(), started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert end["code"] == "local_only"
    assert crew.node.asked == []


def begun(started: Any) -> None:
    """Wait until some of the answer is on the log."""
    until(lambda: any(event["type"] == "token" for event in events(started.log)))


def test_it_stops_at_once_keeps_the_text_and_closes_the_nodes_connection(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, live_session: Any
) -> None:
    started = ask(owner, model="script-slow@rate=50,tokens=2000", session="the-plan")
    done = crew.carry(worker, started.stream)
    begun(started)
    assert stop_stream(teammate, started.stream) == "running"
    assert done.result(15)
    (end,) = terminal(started.log, started.stream)
    stream = row(started.stream)
    assert (end["finish_reason"], end["stopped_by"]) == ("stopped", user_wire(teammate))
    assert stream.content == folded(started.log, started.stream).content != ""
    assert stream.usage["completion_tokens"] > 0
    until(lambda: crew.node.asked[0].state == "cancelled", within=2)
    assert stop_stream(owner, started.stream) == "stopped"
    assert len(terminal(started.log, started.stream)) == 1


def test_it_hears_of_a_stop_from_its_own_row_where_nothing_else_tells(
    crew: Crew, worker: WorkerProcess, owner: Any
) -> None:
    from django.utils import timezone

    started = ask(owner, model="script-silent")
    done = crew.carry(worker, started.stream)
    until(lambda: row(started.stream).status == "running")
    Stream.objects.filter(pk=started.stream).update(stop_requested_at=timezone.now(), stopped_by=owner.pk)
    assert done.result(10)
    assert row(started.stream).status == "stopped"
    until(lambda: crew.node.asked[0].state == "cancelled")


def test_it_lets_the_stopper_end_a_queued_stream(crew: Crew, owner: Any) -> None:
    started = ask(owner)
    assert stop_stream(owner, started.stream) == "stopped"
    assert stop_stream(owner, started.stream) == "stopped"
    (end,) = terminal(started.log, started.stream)
    assert end["finish_reason"] == "stopped"
    worker = crew.here()
    assert crew.carry(worker, started.stream).result(15)
    assert crew.node.asked == []
    assert len(events(started.log)) == 1


def test_it_does_not_let_a_stranger_stop_a_stream(owner: Any, outsider: Any, node: Node) -> None:
    started = ask(owner)
    with pytest.raises(LiveError) as refusal:
        stop_stream(outsider, started.stream)
    assert refusal.value.code == ErrorCode.NOT_FOUND


def test_it_is_carried_by_one_of_many_who_try(crew: Crew, owner: Any) -> None:
    started = ask(owner, model="script-fast")
    workers = [crew.here(), crew.here()]
    done = [crew.carry(worker, started.stream) for worker in workers * 4]
    assert all(future.result(15) for future in done)
    assert row(started.stream).fence == 1
    assert [event["type"] for event in events(started.log)].count("stream_start") == 1
    assert len(terminal(started.log, started.stream)) == 1


def test_it_ends_once_however_often_it_is_finished(transactional_db: None, owner: Any) -> None:
    # There is no worker here: it would send on what "me", of which it knows nothing, seems to have left behind.
    started = ask(owner)
    job = lifecycle.load(str(started.stream))
    assert job is not None
    claim = lifecycle.claim(job.stream, "me", model="m", node="local")
    assert claim is not None
    barrier, results = threading.Barrier(4), []

    def finish() -> None:
        from django.db import connection

        barrier.wait()
        results.append(lifecycle.finish(claim, Outcome(finish_reason="stop", content="x")))
        connection.close()

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]
    assert len(terminal(started.log, started.stream)) == 1


def test_it_waits_for_a_database_that_is_gone_and_loses_nothing(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    from django.db import connection, transaction

    if connection.vendor != "sqlite":
        pytest.skip("SQLite is made to refuse by a lock; PostgreSQL waits at one")
    impatient()
    started = ask(owner, model="script-slow@rate=100,tokens=40")
    done = crew.carry(worker, started.stream)
    begun(started)
    with transaction.atomic():  # IMMEDIATE: everybody else's writes are refused
        until(lambda: crew.node.asked[0].state == "complete")
        with pytest.raises(TimeoutError):
            done.result(1.5)
    assert done.result(15)
    assert ended(started.stream).content == expected_text("script-slow@tokens=40", PROMPT)
    assert len(terminal(started.log, started.stream)) == 1


def impatient() -> None:
    """Let every thread that writes for workers give up on a locked database at once."""
    import asyncio

    from django.db import connection

    from streaming.database import THREADS, in_db

    together = threading.Barrier(THREADS)

    def set_timeout() -> None:
        together.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")

    async def everywhere() -> None:
        await asyncio.gather(*(in_db(set_timeout) for _ in range(THREADS)))

    asyncio.run(everywhere())
