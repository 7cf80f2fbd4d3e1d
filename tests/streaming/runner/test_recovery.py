"""A node dies, stalls, cuts, refuses or talks rubbish: it is asked again, and nothing of what was shown is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzolive.nodes.scripted import expected_text
from streaming.models import Stream
from streaming.node.configured import read_nodes
from streaming.runner import reaper
from streaming.runner.recovery import DELAYS_S, Budget, Recovery
from streaming.runner.run import NODE_LOST
from streaming.runner.worker import WorkerProcess
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, Node, ask, events, fleet, folded, row, terminal, until
from tests.streaming.runner.test_takeover import begun, leave_behind, resets, whole_and_once

PROMPT = [{"role": "user", "content": "tell me"}]
CUT = LiveError(ErrorCode.STREAM_INTERRUPTED, "cut")


@pytest.fixture
def worker(crew: Crew, settings: Any) -> WorkerProcess:
    settings.NODE_IDLE_TIMEOUT = 0.5
    return crew.here()


@pytest.mark.parametrize("fail", ["error", "raw", "cut", "cancel", "silent"])
def test_it_begins_again_where_a_node_failed_in_mid_answer(
    crew: Crew, worker: WorkerProcess, owner: Any, fail: str
) -> None:
    model = f"script-recover@fail={fail},tokens=60"
    started = ask(owner, model=model)
    assert crew.carry(worker, started.stream).result(15)
    whole_and_once(started, expected_text(model, PROMPT))
    assert resets(started) == 1
    assert [entry.state for entry in crew.node.asked][1:] == ["complete"]
    assert row(started.stream).usage["completion_tokens"] == 60


@pytest.mark.parametrize("fail", ["error", "cut", "silent"])
def test_it_continues_where_the_engine_can(crew: Crew, worker: WorkerProcess, owner: Any, fail: str) -> None:
    model = f"script-continue@fail={fail},fail_at=20,fails=1,tokens=60"
    started = ask(owner, model=model, max_tokens=1000)
    assert crew.carry(worker, started.stream).result(15)
    whole_and_once(started, expected_text(model, PROMPT))
    assert resets(started) == 0
    so_far = crew.node.asked[1].messages[-1]
    assert so_far == {"role": "assistant", "content": expected_text("script-continue@tokens=20", PROMPT)}
    usage = row(started.stream).usage
    assert (usage["completion_tokens"], usage["estimated"]) == (60, True)


def test_it_begins_again_where_the_engine_refuses_to_continue(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    model = "script-continue@fail=cut,fail_at=20,fails=1,tokens=60,refuses_prefix=1"
    started = ask(owner, model=model)
    assert crew.carry(worker, started.stream).result(15)
    whole_and_once(started, expected_text(model, PROMPT))
    assert resets(started) == 1
    assert [entry.messages[-1]["role"] for entry in crew.node.asked] == ["user", "assistant", "user"]


def test_it_begins_again_after_thoughts_which_no_engine_continues(
    crew: Crew, worker: WorkerProcess, owner: Any
) -> None:
    model = "script-continue@thoughts=30,fail=cut,fail_at=20,fails=1,tokens=60"
    started = ask(owner, model=model)
    assert crew.carry(worker, started.stream).result(15)
    whole_and_once(started, expected_text(model, PROMPT))
    assert (resets(started), len(folded(started.log, started.stream).thoughts)) == (1, 1)


@pytest.mark.parametrize("fail", ["first", "cut"])
def test_it_asks_again_where_nothing_was_said_and_says_nothing_of_it(
    crew: Crew, worker: WorkerProcess, owner: Any, fail: str
) -> None:
    model = f"script-recover@fail={fail},fail_at=0,status=503"
    started = ask(owner, model=model)
    assert crew.carry(worker, started.stream).result(15)
    whole_and_once(started, expected_text(model, PROMPT))
    assert (resets(started), len(crew.node.asked)) == (0, 2)


def test_it_fails_when_its_budget_is_used_and_keeps_the_text(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-cut")
    assert crew.carry(worker, started.stream).result(15)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], end["retryable"], end["partial"]) == ("stream_interrupted", True, True)
    assert row(started.stream).content == expected_text("script-fast@tokens=20", PROMPT)
    assert len(crew.node.asked) == 3


def test_it_asks_no_node_again_where_the_operator_forbids_it(crew: Crew, settings: Any, owner: Any) -> None:
    settings.NODE_RETRIES = 0
    started = ask(owner, model="script-recover")
    assert crew.carry(crew.here(), started.stream).result(15)
    assert (row(started.stream).status, len(crew.node.asked)) == ("failed", 1)


@pytest.mark.parametrize("model", ["script-context", "script-filter", "script-busy"])
def test_it_does_not_repeat_what_the_node_refuses(crew: Crew, worker: WorkerProcess, owner: Any, model: str) -> None:
    started = ask(owner, model=model)
    assert crew.carry(worker, started.stream).result(15)
    assert (row(started.stream).status, len(crew.node.asked)) == ("failed", 1)


def test_it_keeps_what_was_said_by_a_node_that_never_comes_back(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-slow@rate=100,tokens=5000")
    done = crew.carry(worker, started.stream)
    begun(started)
    crew.node.close()
    assert done.result(15)
    stream = row(started.stream)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], end["retryable"], end["partial"]) == ("node_unavailable", True, True)
    assert stream.content == folded(started.log, started.stream).content != ""
    assert stream.usage["completion_tokens"] > 0
    assert resets(started) == 0


def test_it_goes_on_with_a_node_that_was_started_again(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.runner.recovery.DELAYS_S", DELAYS_S)
    model = "script-continue@rate=100,tokens=300"
    started = ask(owner, model=model)
    done = crew.carry(worker, started.stream)
    begun(started)
    crew.node.close()
    again = Node(port=crew.node.port)
    try:
        assert done.result(15)
        whole_and_once(started, expected_text(model, PROMPT))
        assert len(again.asked) == 1
    finally:
        again.close()


def test_it_says_that_it_recovers_and_can_be_stopped_then(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.runner.recovery.DELAYS_S", (9.0,))
    started = ask(owner, model="script-cut")
    done = crew.carry(worker, started.stream)
    until(lambda: row(started.stream).status == "recovering")
    assert row(started.stream).lease == worker.id
    assert reaper.take_over_lost() == 0
    stop_stream(owner, started.stream)
    assert done.result(5)
    stream = row(started.stream)
    assert (stream.status, stream.content) == ("stopped", expected_text("script-fast@tokens=20", PROMPT))


def test_it_is_taken_over_from_a_worker_that_dies_while_it_recovers(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.runner.recovery.DELAYS_S", (9.0,))
    started = ask(owner, model="script-recover@tokens=60")
    crew.carry(worker, started.stream)
    until(lambda: row(started.stream).status == "recovering")
    Stream.objects.filter(pk=started.stream).update(status="running")
    leave_behind(started)
    Stream.objects.filter(pk=started.stream).update(status="recovering")
    assert reaper.take_over_lost() == 1
    assert crew.carry(crew.here(), started.stream).result(15)
    whole_and_once(started, expected_text("script-recover@tokens=60", PROMPT))


def test_it_tells_whoever_watches_that_it_recovers(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    started = ask(owner, model="script-recover@tokens=60")
    assert crew.carry(worker, started.stream).result(15)
    (reset,) = [event for event in events(started.log) if event["type"] == "reset"]
    assert reset["reason"] == NODE_LOST


# With another node --------------------------------------------------------------------------------------------------


@pytest.fixture
def other() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


@pytest.fixture
def both(crew: Crew, other: Node, settings: Any) -> WorkerProcess:
    """A worker whose first choice is the crew's node."""
    settings.NODE_FIRST_BYTE_TIMEOUT = settings.NODE_IDLE_TIMEOUT = 0.5
    settings.NODES = read_nodes(
        [{"name": "one", "url": crew.node.url, "weight": 1000}, {"name": "two", "url": other.url, "where": "cloud"}]
    )
    worker = crew.here()
    fleet(worker)
    return worker


@pytest.mark.parametrize("fail", ["error", "cut", "silent"])
def test_another_node_goes_on_after_the_text(
    crew: Crew, both: WorkerProcess, other: Node, owner: Any, fail: str
) -> None:
    # Alike, and yet each node counts for itself: the second one fails as well, further on.
    model = f"script-continue@fail={fail},fail_at=20,fails=1,tokens=60"
    started = ask(owner, model=model)
    assert crew.carry(both, started.stream).result(15)
    stream = row(started.stream)
    assert (stream.status, stream.content) == ("complete", expected_text(model, PROMPT))
    assert [len(node.asked) for node in (crew.node, other)] == [1, 2]
    assert resets(started) == 0
    assert (stream.node_name, stream.node) == ("two", "cloud")
    assert [e["node"] for e in events(started.log) if e["type"] == "stream_start"] == ["local", "cloud"]


@pytest.mark.parametrize("fail", ["first", "busy", "silent"])
def test_another_node_is_asked_where_the_first_does_not_answer(
    crew: Crew, both: WorkerProcess, other: Node, owner: Any, settings: Any, fail: str
) -> None:
    settings.NODE_RETRIES = 1
    started = ask(owner, model=f"script-recover@fail={fail},fail_at=0,fails=0")
    assert crew.carry(both, started.stream).result(15)
    assert (len(crew.node.asked), bool(other.asked)) == (1, True)


# The budget, by itself ----------------------------------------------------------------------------------------------


def test_it_gives_up_after_so_many_retries() -> None:
    recovery = Recovery(Budget(2, 10.0))
    assert [recovery.wait(CUT, 0.0, said=True) for _ in range(3)] == [*DELAYS_S[:2], None]


def test_it_gives_up_so_many_seconds_after_the_node_was_last_heard() -> None:
    recovery = Recovery(Budget(9, 10.0))
    assert recovery.wait(CUT, 100.0, said=True) is not None
    assert recovery.wait(CUT, 109.0, said=False) is None
    assert recovery.wait(CUT, 109.0, said=True) is not None


@pytest.mark.parametrize(
    ("error", "said", "again"),
    [
        (LiveError(ErrorCode.NODE_UNAVAILABLE, ""), False, True),
        (LiveError(ErrorCode.NODE_ERROR, "", retryable=False), True, False),
        (LiveError(ErrorCode.NODE_TIMEOUT, ""), True, True),
        (LiveError(ErrorCode.NODE_TIMEOUT, ""), False, False),
        (LiveError(ErrorCode.RATE_LIMITED, ""), False, False),
        (LiveError(ErrorCode.RATE_LIMITED, "", retry_after=4.0), False, True),
        (LiveError(ErrorCode.RATE_LIMITED, "", retry_after=40.0), False, False),
        (LiveError(ErrorCode.LOCAL_ONLY, ""), False, False),
    ],
)
def test_it_asks_again_only_where_that_may_help(error: LiveError, said: bool, again: bool) -> None:
    assert (Recovery(Budget(2, 10.0)).wait(error, 0.0, said=said) is not None) == again


def test_it_asks_another_node_at_once_and_whatever_the_first_one_had() -> None:
    recovery = Recovery(Budget(2, 10.0))
    assert recovery.wait(LiveError(ErrorCode.NODE_TIMEOUT, ""), 0.0, said=False, elsewhere=True) == 0.0
    assert recovery.wait(LiveError(ErrorCode.CONTEXT_LENGTH, ""), 0.0, said=False, elsewhere=True) is None


def test_it_waits_as_long_as_the_node_asks_for() -> None:
    busy = LiveError(ErrorCode.NODE_UNAVAILABLE, "", retry_after=4.0)
    assert Recovery(Budget(2, 10.0)).wait(busy, 0.0, said=False) == 4.0
