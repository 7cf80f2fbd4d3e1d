"""The promise of `force_local`: whatever fails, no cloud node is asked. Each failure is a real one, of real nodes.

The same failures with `fallback_to_cloud` do reach the cloud node, or this could not fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from streaming.node.configured import read_nodes
from streaming.runner.breaker import FAILURES
from streaming.runner.worker import WorkerProcess
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, Node, ask, ended, events, fleet, row, terminal, until

NOWHERE = "http://127.0.0.1:9"
LOCAL = {"force_local": True}
EITHER = {"prefer_local": True, "fallback_to_cloud": True}


@pytest.fixture
def cloud() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


@pytest.fixture
def impatient(settings: Any) -> None:
    settings.NODE_FIRST_BYTE_TIMEOUT = settings.NODE_IDLE_TIMEOUT = 0.3


def nodes(settings: Any, cloud: Node, **local: Any) -> None:
    # Heavier by far: what is not held to be local goes there.
    settings.NODES = read_nodes(
        [{"name": "local", **local}, {"name": "cloud", "url": cloud.url, "where": "cloud", "weight": 1000}]
    )


def carry(crew: Crew, worker: WorkerProcess, owner: Any, model: str, route: dict[str, bool]) -> Any:
    started = ask(owner, model=model, route=route)
    crew.carry(worker, started.stream).result(30)
    return started


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("script-error-first@status=500", "node_error"),
        ("script-error-first@status=502", "node_unavailable"),
        ("script-error-first@status=503", "node_unavailable"),
        ("script-busy", "rate_limited"),
        ("script-filter", "content_filtered"),
        ("script-context", "context_length"),
        ("script-cut@fail_at=0", "stream_interrupted"),
        ("script-cut@fail_at=1", "stream_interrupted"),
        ("script-cut", "stream_interrupted"),
        ("script-error-midway", "node_error"),
        ("script-error-raw", "node_error"),
        ("script-silent", "node_timeout"),
        ("script-stall", "node_timeout"),
    ],
)
def test_no_failure_of_an_answer_reaches_the_cloud(
    crew: Crew, cloud: Node, settings: Any, impatient: None, owner: Any, model: str, code: str
) -> None:
    nodes(settings, cloud, url=crew.node.url)
    started = carry(crew, crew.here(), owner, model, LOCAL)
    (end,) = terminal(started.log, started.stream)
    assert end["code"] == code
    assert crew.node.asked
    assert cloud.asked == []


def test_no_node_that_cannot_be_reached_makes_the_cloud_take_over(
    crew: Crew, cloud: Node, settings: Any, owner: Any
) -> None:
    nodes(settings, cloud, url=NOWHERE)
    worker = crew.here()
    started = carry(crew, worker, owner, "script-fast", LOCAL)
    (end,) = terminal(started.log, started.stream)
    assert end["code"] == "node_unavailable"
    assert events(started.log)[0]["node"] == "local"
    # Unhealthy as well, once it was looked at.
    until(lambda: not fleet(worker)[0].healthy)
    carry(crew, worker, owner, "script-fast", LOCAL)
    assert cloud.asked == []
    carry(crew, worker, owner, "script-fast", EITHER)
    assert len(cloud.asked) == 1


def test_an_open_breaker_does_not(crew: Crew, cloud: Node, settings: Any, owner: Any) -> None:
    nodes(settings, cloud, url=crew.node.url)
    worker = crew.here()
    for _ in range(FAILURES):
        carry(crew, worker, owner, "script-error-first@status=503", LOCAL)
    assert not fleet(worker)[0].breaker.allows
    started = carry(crew, worker, owner, "script-error-first@status=503", LOCAL)
    assert terminal(started.log, started.stream)[0]["code"] == "node_unavailable"
    assert cloud.asked == []
    carry(crew, worker, owner, "script-error-first@status=503", EITHER)
    assert cloud.asked


def test_a_model_that_only_the_cloud_has_is_refused(crew: Crew, cloud: Node, settings: Any, owner: Any) -> None:
    nodes(settings, cloud, url=crew.node.url, models={"mine": "script-fast"}, only=True)
    worker = crew.here()
    fleet(worker)  # it knows what each has
    started = carry(crew, worker, owner, "script-thoughts", LOCAL)
    (end,) = terminal(started.log, started.stream)
    assert (end["code"], "none has the model script-thoughts" in end["message"]) == ("local_only", True)
    assert cloud.asked == []
    carry(crew, worker, owner, "script-thoughts", EITHER)
    assert len(cloud.asked) == 1


def test_where_nothing_is_local_it_is_refused(crew: Crew, cloud: Node, settings: Any, owner: Any) -> None:
    settings.NODES = read_nodes([{"name": "cloud", "url": cloud.url, "where": "cloud"}])
    started = carry(crew, crew.here(), owner, "script-fast", LOCAL)
    assert terminal(started.log, started.stream)[0]["code"] == "local_only"
    assert cloud.asked == []


def test_another_worker_keeps_the_promise_too(crew: Crew, cloud: Node, settings: Any, owner: Any) -> None:
    nodes(settings, cloud, url=crew.node.url)
    first, second = crew.here(), crew.here()
    started = ask(owner, model="script-slow@rate=50,tokens=2000", route=LOCAL)
    handed = crew.carry(first, started.stream)
    until(lambda: any(event["type"] == "token" for event in events(started.log)))
    first.drain()
    assert handed.result(15) is False
    done = crew.carry(second, started.stream)
    until(lambda: len(crew.node.asked) == 2)
    stop_stream(owner, started.stream)
    assert done.result(15)
    assert ended(started.stream).node_name == row(started.stream).node_name == "local"
    assert cloud.asked == []


@pytest.mark.parametrize("model", ["script-cut", "script-stall", "script-error-first@status=503", "script-error-raw"])
def test_what_is_asked_again_is_asked_locally(
    crew: Crew, cloud: Node, settings: Any, impatient: None, owner: Any, model: str
) -> None:
    with Node() as second:
        settings.NODES = read_nodes(
            [
                {"name": "first", "url": crew.node.url, "models": {"m": model}, "weight": 10},
                {"name": "second", "url": second.url, "models": {"m": "script-fast"}},
                {"name": "cloud", "url": cloud.url, "models": {"m": "script-fast"}, "where": "cloud", "weight": 1000},
            ]
        )
        worker = crew.here()
        fleet(worker)
        started = carry(crew, worker, owner, "m", LOCAL)
        assert (row(started.stream).status, row(started.stream).node_name) == ("complete", "second")
        assert (len(crew.node.asked), len(second.asked)) == (1, 1)
        assert cloud.asked == []
