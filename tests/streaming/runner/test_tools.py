"""Tools in an answer: run, failed, waited for, approved, denied, given up; and whoever dies meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from hanzo_live.protocol import StreamOptions
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.queries import user_wire
from streaming import waiting
from streaming.models import Stream, ToolCall, Worker
from streaming.runner import reaper
from streaming.runner.tool_round import LOST, TOO_MANY
from streaming.runner.worker import WorkerProcess
from streaming.services import start_stream, stop_stream
from tests.streaming.runner.house import Crew, ask, ended, events, folded, row, terminal, until
from tests.streaming.tools import functions

SEARCH = [{"name": "search_web", "description": "Search", "parameters": {"query": "string"}}]
TIME = {"time": {"command": sys.executable, "args": ["-m", "mcp_server_time"]}}


@pytest.fixture(autouse=True)
def _tools(settings: Any) -> Iterator[None]:
    settings.TOOL_MODULES = [functions.__name__]
    functions.done.clear()
    functions.go_on.clear()
    yield
    functions.go_on.set()


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def calls(started: Any) -> list[dict[str, Any]]:
    return list(folded(started.log, started.stream).tool_calls.values())


def same_everywhere(started: Any) -> Stream:
    """The ended stream, after comparing what the database and the log say of it."""
    stream = ended(started.stream)
    until(lambda: terminal(started.log, started.stream))
    seen = folded(started.log, started.stream)
    assert stream.content == seen.content
    assert [part for part in stream.parts if part["type"] == "toolCall"] == [
        {"type": "toolCall", "id": call["call"], "name": call["tool"], "args": call["args"]}
        for call in seen.tool_calls.values()
    ]
    assert len(terminal(started.log, started.stream)) == 1
    return stream


def test_it_runs_a_tool_and_asks_the_model_again_with_what_it_gave(
    crew: Crew, worker: WorkerProcess, owner: Any
) -> None:
    started = ask(owner, model="script-tools", tools=named("add"))
    crew.carry(worker, started.stream).result(15)
    stream = same_everywhere(started)
    (call,) = calls(started)
    assert (stream.status, stream.finish_reason, stream.content) == ("complete", "stop", "The tool said: 8")
    assert (call["tool"], call["args"], call["status"], call["result"]) == ("add", {"a": 7}, "complete", 8)
    assert call["duration_ms"] > 0
    told = events(started.log)
    statuses = [event["status"] for event in told if event["type"] == "tool_call"]
    assert (set(statuses[:-1]), statuses[-1]) == ({"streaming"}, "running")
    first, second = crew.node.asked
    assert [message["role"] for message in second.messages] == ["user", "assistant", "tool"]
    assert second.messages[1]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a":7}'}
    assert second.messages[2] == {"role": "tool", "tool_call_id": call["call"], "content": "8"}
    assert first.options["tools"] == second.options["tools"]
    assert stream.usage is not None
    assert stream.usage["completion_tokens"] > 4


def test_a_tool_that_fails_is_told_to_the_model_and_shown(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, "bread", model="script-tools", tools=named("break_down"))
    crew.carry(worker, started.stream).result(15)
    stream = same_everywhere(started)
    (call,) = calls(started)
    assert (call["status"], call["error"]) == ("failed", "The tool failed: no bread today")
    assert stream.content == "The tool said: Error: The tool failed: no bread today"
    assert stream.status == "complete"


def test_a_tool_that_nobody_has_is_told_to_the_model(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-tools@tool=lookup", tools=named("add"))
    crew.carry(worker, started.stream).result(15)
    assert same_everywhere(started).content == "The tool said: Error: There is no tool named lookup. There are: add."


def test_what_tools_gave_is_told_in_the_next_answer(
    crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any
) -> None:
    for prompt, tools in (("one", named("add")), ("two", named("add")), ("three", None)):
        started = ask(owner, prompt, model="script-tools", session="the-plan", **({"tools": tools} if tools else {}))
        crew.carry(worker, started.stream).result(15)
    told = crew.node.asked[2].messages
    assert [message["role"] for message in told] == ["user", "assistant", "tool", "assistant", "user"]
    assert told[1]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a":7}'}
    assert (told[2]["content"], told[2]["tool_call_id"]) == ("8", told[1]["tool_calls"][0]["id"])
    assert [message["role"] for message in crew.node.asked[4].messages] == ["user", "assistant"] * 2 + ["user"]


def test_calls_are_the_end_where_no_tools_were_offered(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-tools")
    crew.carry(worker, started.stream).result(15)
    assert same_everywhere(started).finish_reason == "tool_calls"


def test_it_calls_the_tools_of_a_real_mcp_server(crew: Crew, settings: Any, owner: Any) -> None:
    settings.TOOL_MODULES = []
    settings.MCP_SERVERS = orjson.dumps(TIME).decode()
    started = ask(owner, "Asia/Tokyo", model="script-tools@calls=2", tools="auto")
    crew.carry(crew.here(), started.stream).result(30)
    assert same_everywhere(started).status == "complete"
    good, bad = calls(started)
    assert (good["tool"], good["result"]["timezone"]) == ("get_current_time", "Asia/Tokyo")
    assert (bad["tool"], bad["status"]) == ("convert_time", "failed")
    assert [message["role"] for message in crew.node.asked[1].messages[-2:]] == ["tool", "tool"]


def test_it_asks_for_several_rounds_and_then_for_an_answer(crew: Crew, settings: Any, owner: Any) -> None:
    settings.TOOL_ROUNDS = 2
    started = ask(owner, model="script-tools@rounds=9", tools=named("add"), tool_choice="required")
    crew.carry(crew.here(), started.stream).result(15)
    assert same_everywhere(started).content == "The tool said: 8"
    assert len(calls(started)) == 2
    assert [asked.options.get("tool_choice") for asked in crew.node.asked] == ["required", None, "none"]
    assert [message["role"] for message in crew.node.asked[2].messages] == [
        "user", "assistant", "tool", "assistant", "tool",
    ]  # fmt: skip


def test_it_ends_with_a_model_that_does_not_stop_calling(crew: Crew, settings: Any, owner: Any) -> None:
    settings.TOOL_ROUNDS = 1
    started = ask(owner, model="script-tools@stubborn=1", tools=named("add"))
    crew.carry(crew.here(), started.stream).result(15)
    stream = same_everywhere(started)
    assert (stream.status, stream.finish_reason) == ("complete", "tool_calls")
    assert [call["error"] for call in calls(started)] == [None, TOO_MANY]


def test_it_refuses_an_mcp_server_that_the_operator_did_not_allow(owner: Any, crew: Crew) -> None:
    with pytest.raises(LiveError) as refusal:
        ask(owner, mcp={"servers": ["http://169.254.169.254/mcp"]})
    assert (refusal.value.code, refusal.value.field) == (ErrorCode.FORBIDDEN, "mcp.servers")


# Waiting for somebody -----------------------------------------------------------------------------------------------


def waits(crew: Crew, worker: WorkerProcess, started: Any) -> Stream:
    """The stream, which nobody carries, since it waits for somebody."""
    assert crew.carry(worker, started.stream).result(15)
    stream = row(started.stream)
    assert (stream.status, stream.lease) == ("waiting", "")
    assert folded(started.log, started.stream).status == "waiting"
    assert terminal(started.log, started.stream) == []
    return stream


def goes_on(crew: Crew, worker: WorkerProcess, started: Any) -> Stream:
    """The ended stream, after it was sent to the workers again."""
    assert row(started.stream).status == "recovering"
    assert crew.carry(worker, started.stream).result(15)
    return same_everywhere(started)


def test_it_waits_for_the_client_that_runs_a_tool(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-tools", tools=SEARCH)
    waits(crew, worker, started)
    (call,) = calls(started)
    assert (call["tool"], call["status"], call["args"]) == ("search_web", "awaiting_client", {"query": "tell me"})
    waiting.answer(owner, started.stream, call["call"], {"text": "12 °C"}, None)
    stream = goes_on(crew, crew.here(), started)
    assert (stream.finish_reason, stream.content) == ("stop", 'The tool said: {"text":"12 °C"}')
    assert calls(started)[0]["status"] == "complete"
    assert stream.timings is not None
    assert stream.timings["first_token_ms"] > 0
    with pytest.raises(LiveError) as twice:
        waiting.answer(owner, started.stream, call["call"], "again", None)
    assert twice.value.code == ErrorCode.CONFLICT


def test_only_the_one_who_asked_answers_for_a_client(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, outsider: Any, live_session: Any
) -> None:
    started = ask(owner, model="script-tools", tools=SEARCH, session="the-plan")
    waits(crew, worker, started)
    call = calls(started)[0]["call"]
    for who, code in ((teammate, ErrorCode.FORBIDDEN), (outsider, ErrorCode.NOT_FOUND), (None, ErrorCode.NOT_FOUND)):
        with pytest.raises(LiveError) as refusal:
            waiting.answer(who, started.stream, call, "x", None)
        assert refusal.value.code == code
    with pytest.raises(LiveError) as unknown:
        waiting.answer(owner, started.stream, "call_nobody_made", "x", None)
    assert unknown.value.code == ErrorCode.NOT_FOUND
    waiting.answer(owner, started.stream, call, None, "the network is down")
    assert goes_on(crew, worker, started).content == "The tool said: Error: the network is down"


def test_a_member_with_the_right_approves_once(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, viewer: Any, live_session: Any
) -> None:
    started = ask(owner, "old.txt", model="script-tools", tools=named("delete_file"), session="the-plan")
    waits(crew, worker, started)
    (call,) = calls(started)
    assert call["status"] == "awaiting_approval"
    with pytest.raises(LiveError) as refusal:
        waiting.approve(viewer, started.stream, call["call"], True, None)
    assert refusal.value.code == ErrorCode.FORBIDDEN
    waiting.approve(teammate, started.stream, call["call"], True, None)
    with pytest.raises(LiveError, match="approved already by Tariq") as twice:
        waiting.approve(owner, started.stream, call["call"], False, None)
    assert twice.value.code == ErrorCode.CONFLICT
    assert goes_on(crew, worker, started).content == "The tool said: old.txt is gone"
    (call,) = calls(started)
    assert (call["status"], call["user"]) == ("complete", user_wire(teammate))


def test_a_denied_call_is_told_to_the_model(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, "old.txt", model="script-tools", tools=named("delete_file"))
    waits(crew, worker, started)
    waiting.approve(owner, started.stream, calls(started)[0]["call"], False, "It is needed.")
    stream = goes_on(crew, worker, started)
    assert stream.content == "The tool said: Error: This call was denied by Olga. It is needed."
    (call,) = calls(started)
    assert (call["status"], call["user"]) == ("denied", user_wire(owner))
    assert stream.parts[-1]["status"] == "denied"


def test_an_approved_tool_of_the_client_then_waits_for_it(crew: Crew, settings: Any, owner: Any) -> None:
    settings.TOOLS_ASK_FIRST = ["search_*"]
    started, worker = ask(owner, model="script-tools", tools=SEARCH), crew.here()
    waits(crew, worker, started)
    call = calls(started)[0]["call"]
    with pytest.raises(LiveError, match="approve it first"):
        waiting.answer(owner, started.stream, call, "too early", None)
    waiting.approve(owner, started.stream, call, True, None)
    waits(crew, worker, started)
    assert calls(started)[0]["status"] == "awaiting_client"
    waiting.answer(owner, started.stream, call, "found", None)
    assert goes_on(crew, worker, started).content == "The tool said: found"


def test_what_can_run_runs_while_the_rest_waits(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, "x", model="script-tools@calls=3", tools=[*named("add", "delete_file"), *SEARCH])
    waits(crew, worker, started)
    assert [call["status"] for call in calls(started)] == ["complete", "awaiting_approval", "awaiting_client"]
    _, delete, search = calls(started)
    waiting.approve(owner, started.stream, delete["call"], True, None)
    waits(crew, worker, started)
    assert [call["status"] for call in calls(started)] == ["complete", "complete", "awaiting_client"]
    waiting.answer(owner, started.stream, search["call"], "found", None)
    assert goes_on(crew, worker, started).status == "complete"
    assert len(crew.node.asked) == 2


def test_waiting_is_no_running_time(crew: Crew, settings: Any, owner: Any) -> None:
    settings.STREAM_TIMEOUT = 60.0
    started, worker = ask(owner, model="script-tools", tools=SEARCH), crew.here()
    waits(crew, worker, started)
    before = timezone.now() - timedelta(seconds=1_000)
    Stream.objects.update(started_at=before, waiting_since=before)
    waiting.answer(owner, started.stream, calls(started)[0]["call"], "late", None)
    stream = goes_on(crew, worker, started)
    assert stream.status == "complete"
    assert stream.timings is not None
    assert stream.timings["duration_ms"] < 60_000


@pytest.mark.parametrize(
    ("tools", "words"),
    [
        (named("delete_file"), "The tool said: Error: This call was denied. Nobody approved it within 60 minutes."),
        (SEARCH, "The tool said: Error: No client ran it within 5 minutes."),
    ],
)
def test_it_goes_on_without_those_who_never_come(
    crew: Crew, worker: WorkerProcess, owner: Any, tools: Any, words: str
) -> None:
    started = ask(owner, model="script-tools", tools=tools)
    waits(crew, worker, started)
    assert waiting.give_up_late() == 0
    ToolCall.objects.update(deadline=timezone.now() - timedelta(seconds=1))
    waiting.give_up_late()
    until(lambda: row(started.stream).status == "recovering")
    assert goes_on(crew, worker, started).content == words


def test_a_stream_that_waits_can_be_stopped_and_keeps_what_it_has(
    crew: Crew, worker: WorkerProcess, owner: Any, teammate: Any, live_session: Any
) -> None:
    started = ask(owner, model="script-tools", tools=SEARCH, session="the-plan")
    following = ask(owner, "next", session="the-plan")
    waits(crew, worker, started)
    call = calls(started)[0]["call"]
    stop_stream(teammate, started.stream)
    stream = goes_on(crew, worker, started)
    assert (stream.status, len(stream.parts)) == ("stopped", 1)
    with pytest.raises(LiveError, match="is over"):
        waiting.answer(owner, started.stream, call, "x", None)
    crew.carry(worker, following.stream).result(15)
    assert ended(following.stream).status == "complete"


# Whoever dies -------------------------------------------------------------------------------------------------------


def abandoned(crew: Crew, started: Any, first: WorkerProcess) -> None:
    """Have the worker lose the stream as if it had been killed."""
    Worker.objects.get_or_create(pk="dead", defaults={"seen_at": timezone.now() - timedelta(seconds=10)})
    assert Stream.objects.filter(pk=started.stream, status="running").update(lease="dead")
    reaper.take_over_lost()
    until(lambda: not first._runs)


@pytest.mark.parametrize(
    ("tool", "done", "said"),
    [
        ("look", ["look it", "look it"], "The tool said: it is there"),
        ("work", ["work it"], f"The tool said: Error: {LOST}"),
    ],
)
def test_a_tool_whose_worker_is_lost_is_run_again_only_where_that_does_no_harm(
    crew: Crew, owner: Any, tool: str, done: list[str], said: str
) -> None:
    first = crew.here()
    started = ask(owner, "it", model="script-tools", tools=named(tool))
    crew.carry(first, started.stream)
    until(lambda: functions.done)
    abandoned(crew, started, first)
    functions.go_on.set()
    stream = goes_on(crew, crew.here(), started)
    assert functions.done == done
    assert stream.content == said
    assert "reset" not in [event["type"] for event in events(started.log)]


def test_a_worker_that_is_lost_while_answering_costs_no_second_run(crew: Crew, owner: Any) -> None:
    functions.go_on.set()
    first = crew.here()
    prompt = "it " * 60
    started = ask(owner, prompt, model="script-tools@rate=20", tools=named("work"))
    crew.carry(first, started.stream)
    until(lambda: any(event["type"] == "token" for event in events(started.log)))
    abandoned(crew, started, first)
    stream = goes_on(crew, crew.here(), started)
    assert stream.content == f"The tool said: {prompt} is done"
    assert functions.done == [f"work {prompt}"]
    assert len(calls(started)) == 1
    assert [event["type"] for event in events(started.log)].count("reset") == 1


def test_a_worker_that_is_lost_while_the_model_calls_begins_that_round_again(crew: Crew, owner: Any) -> None:
    functions.go_on.set()
    first = crew.here()
    started = ask(owner, "it", model="script-tools@rate=20,pieces=40", tools=named("work"))
    crew.carry(first, started.stream)
    until(lambda: any(event["type"] == "tool_call" for event in events(started.log)))
    abandoned(crew, started, first)
    stream = goes_on(crew, crew.here(), started)
    assert stream.content == "The tool said: it is done"
    assert functions.done == ["work it"]


@pytest.mark.timeout(150)
def test_a_stream_waits_through_the_end_of_all_workers(crew: Crew, owner: Any) -> None:
    crew.celery(1, TOOL_MODULES=functions.__name__)
    started = ask(owner, "old.txt", model="script-tools", tools=named("delete_file"))
    until(lambda: row(started.stream).status == "waiting")
    for process in crew.processes:
        process.kill()
        process.wait(5)
    crew.processes.clear()
    waiting.approve(owner, started.stream, calls(started)[0]["call"], True, None)
    crew.celery(1, TOOL_MODULES=functions.__name__)
    ended(started.stream, 30)
    assert same_everywhere(started).content == "The tool said: old.txt is gone"


@pytest.mark.timeout(150)
def test_a_running_tool_survives_the_sigkill_of_its_worker(crew: Crew, owner: Any) -> None:
    crew.celery(2, TOOL_MODULES=functions.__name__, TOOL_TIMEOUT="2")
    started = ask(owner, "it", model="script-tools", tools=named("look"))
    until(lambda: any(event.get("status") == "running" for event in events(started.log)))
    crew.carrier_of(started.stream).kill()
    stream = ended(started.stream, 30)
    assert stream.takeovers == 1
    assert same_everywhere(started).content.startswith("The tool said: Error: The tool took longer than 2 seconds")


@pytest.mark.timeout(150)
def test_an_answer_after_a_tool_survives_the_sigkill_of_its_worker(crew: Crew, owner: Any) -> None:
    crew.celery(2, TOOL_MODULES=functions.__name__)
    started = ask(owner, model="script-tools@rate=40,tokens=1", tools=named("draw_lots"))
    until(lambda: len([event for event in events(started.log) if event["type"] == "token"]) > 5)
    crew.carrier_of(started.stream).kill()
    ended(started.stream, 30)
    stream = same_everywhere(started)
    assert (stream.status, stream.takeovers) == ("complete", 1)
    # The tool ran once: a second run had drawn other lots than the first answer told of.
    (call,) = calls(started)
    assert stream.content == f"The tool said: {call['result']}"
    called, cut, again = crew.node.asked
    assert (called.state, cut.state, again.state) == ("complete", "cancelled", "complete")
    assert again.messages == cut.messages
    types = [event["type"] for event in events(started.log)]
    assert (types.count("stream_start"), types.count("reset"), types[-1]) == (1, 1, "complete")


# OpenAI's callers ---------------------------------------------------------------------------------------------------


def test_a_caller_that_runs_its_tools_gets_the_calls_as_the_end(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    options = StreamOptions.model_validate({"model": "script-tools", "tools": named("add")})
    started = start_stream(owner, options, content="tell me", caller_runs_tools=True)
    crew.carry(worker, started.stream).result(15)
    stream = same_everywhere(started)
    assert (stream.status, stream.finish_reason) == ("complete", "tool_calls")
    assert len(crew.node.asked) == 1
