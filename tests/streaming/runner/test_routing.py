"""Streams among several real nodes: which is asked, what it is called there, and what people are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.node.configured import ConfiguredNode, read_nodes
from streaming.runner.leases import on_nodes
from streaming.services import stop_stream
from tests.streaming.runner.house import Crew, Node, ask, ended, events, fleet, row, terminal, until

NOWHERE = "http://127.0.0.1:9"
MAPPED = {"llama-3-8b": "script-fast"}


@pytest.fixture
def other() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


@pytest.fixture
def configure(settings: Any) -> Callable[..., tuple[ConfiguredNode, ...]]:
    def configure(*nodes: dict[str, Any]) -> None:
        settings.NODES = read_nodes(list(nodes))

    return configure


def failed(log: str, stream: Any) -> dict[str, Any]:
    (end,) = terminal(log, stream)
    assert end["type"] == "error"
    return end


def test_a_model_has_another_name_on_each_node(crew: Crew, other: Node, configure: Any, owner: Any) -> None:
    configure(
        {"name": "one", "url": crew.node.url, "models": {"llama-3-8b": "script-fast"}},
        {"name": "two", "url": other.url, "models": {"llama-3-8b": "script-thoughts"}},
    )
    worker = crew.here()
    fleet(worker)
    for _ in range(2):
        started = ask(owner, model="llama-3-8b")
        crew.carry(worker, started.stream).result(15)
        assert row(started.stream).status == "complete"
    assert [asked.model for asked in crew.node.asked] == ["script-fast"]
    assert [asked.model for asked in other.asked] == ["script-thoughts"]
    assert row(started.stream).requested_model == "llama-3-8b"


def test_streams_go_to_the_least_busy_node_and_workers_hear_of_one_anothers(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure({"name": "one", "url": crew.node.url}, {"name": "two", "url": other.url, "weight": 2})
    worker = crew.here()
    fleet(worker)
    streams = [ask(owner, model="script-slow@rate=5,tokens=2000").stream for _ in range(6)]
    for number, stream in enumerate(streams, 1):
        crew.carry(worker, stream)
        until(lambda number=number: len(crew.node.asked) + len(other.asked) == number)
    assert (len(crew.node.asked), len(other.asked)) == (2, 4)
    assert until(lambda: on_nodes("another worker").total() == 6 and on_nodes("another worker")) == {"one": 2, "two": 4}
    second = crew.here()
    until(lambda: [node.elsewhere for node in fleet(second)] == [2, 4])
    for stream in streams:
        stop_stream(owner, stream)
        ended(stream)


def test_people_are_told_whether_it_runs_in_the_cloud_and_the_operator_on_which_node(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure({"name": "far", "url": other.url, "where": "cloud"})
    started = ask(owner, model="script-fast")
    crew.carry(crew.here(), started.stream).result(15)
    assert events(started.log)[0]["node"] == "cloud"
    assert (row(started.stream).node, row(started.stream).node_name) == ("cloud", "far")


def test_one_that_lacks_the_model_is_not_asked(crew: Crew, other: Node, configure: Any, owner: Any) -> None:
    configure(
        {"name": "one", "url": crew.node.url, "models": MAPPED, "only": True, "weight": 100},
        {"name": "two", "url": other.url},
    )
    started = ask(owner, model="script-thoughts")
    crew.carry(crew.here(), started.stream).result(15)
    assert (len(crew.node.asked), len(other.asked)) == (0, 1)


def test_a_name_that_no_node_has_is_refused_with_those_there_are(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure(
        {"name": "one", "url": crew.node.url, "models": {"a": "script-fast"}, "only": True},
        {"name": "two", "url": other.url, "models": {"b": "script-fast"}, "only": True},
    )
    started = ask(owner, model="gpt-4")
    crew.carry(crew.here(), started.stream).result(15)
    end = failed(started.log, started.stream)
    assert (end["code"], end["message"]) == (
        "bad_request",
        "The nodes have no model named gpt-4. There are: a, b. Choose one of these.",
    )


def test_a_node_that_does_not_answer_is_passed_over(crew: Crew, configure: Any, owner: Any) -> None:
    configure({"name": "lost", "url": NOWHERE, "weight": 100}, {"name": "there", "url": crew.node.url})
    worker = crew.here()
    lost, there = fleet(worker)
    until(lambda: not lost.healthy)
    assert there.healthy
    started = ask(owner, model="script-fast")
    crew.carry(worker, started.stream).result(15)
    assert row(started.stream).node_name == "there"


def test_a_breaker_shuts_out_a_node_that_fails_and_never_the_only_one(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure({"name": "one", "url": crew.node.url})
    worker = crew.here()
    for _ in range(5):
        started = ask(owner, model="script-error-first@status=503")
        crew.carry(worker, started.stream).result(15)
    (node,) = fleet(worker)
    assert not node.breaker.allows
    assert len(crew.node.asked) >= 5
    started = ask(owner, model="script-fast")
    crew.carry(worker, started.stream).result(15)
    assert row(started.stream).status == "complete"
    assert node.breaker.allows


def test_a_node_that_refuses_our_key_is_left_alone(crew: Crew, configure: Any, owner: Any) -> None:
    with Node(api_key="sesame") as locked:
        configure(
            # Its list of models is refused as well: it is asked for any, and first for its weight.
            {"name": "locked", "url": locked.url, "key": "wrong", "weight": 100},
            {"name": "open", "url": crew.node.url},
        )
        worker = crew.here()
        fleet(worker)
        for asked in ("locked", "open"):
            started = ask(owner, model="script-fast")
            crew.carry(worker, started.stream).result(15)
            assert row(started.stream).status == "complete"
            # The first answer is brought by the other node as well, once this one has refused.
            told = [event["type"] for event in events(started.log)]
            assert told.count("stream_start") == (2 if asked == "locked" else 1)


@pytest.mark.parametrize(
    ("route", "asked"),
    [
        ({"prefer_local": True}, "near"),
        ({"prefer_local": True, "fallback_to_cloud": True}, "near"),
        ({"fallback_to_cloud": True}, "near"),
        ({"force_local": True}, "near"),
        ({}, "far"),
    ],
    ids=["prefer", "prefer and fall back", "fall back", "force", "no wish"],
)
def test_a_wish_for_local_outweighs_how_busy_it_is(
    crew: Crew, other: Node, configure: Any, owner: Any, route: dict[str, bool], asked: str
) -> None:
    configure(
        {"name": "near", "url": crew.node.url},
        {"name": "far", "url": other.url, "where": "cloud", "weight": 100},
    )
    started = ask(owner, model="script-fast", route=route)
    crew.carry(crew.here(), started.stream).result(15)
    assert row(started.stream).node_name == asked


def test_without_a_fallback_an_answer_does_not_move_to_the_cloud(crew: Crew, configure: Any, owner: Any) -> None:
    configure({"name": "near", "url": NOWHERE}, {"name": "far", "url": crew.node.url, "where": "cloud"})
    worker = crew.here()
    fleet(worker)
    started = ask(owner, model="script-fast", route={"prefer_local": True})
    crew.carry(worker, started.stream).result(15)
    end = failed(started.log, started.stream)
    assert (end["code"], "fallback_to_cloud" in end["message"]) == ("node_unavailable", True)
    started = ask(owner, model="script-fast", route={"prefer_local": True, "fallback_to_cloud": True})
    crew.carry(worker, started.stream).result(15)
    assert row(started.stream).node_name == "far"


def test_a_local_node_is_named_by_its_address_and_no_other_address_is_asked(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure(
        {"name": "one", "url": crew.node.url, "weight": 100},
        {"name": "two", "url": other.url},
        {"name": "far", "url": NOWHERE, "where": "cloud"},
    )
    worker = crew.here()
    for url, expected in ((f"{other.url}/v1", "two"), ("http://localhost:8080", "one")):
        started = ask(owner, model="script-fast", route={"local_node_url": url})
        crew.carry(worker, started.stream).result(15)
        assert row(started.stream).node_name == expected
    for url in (NOWHERE, "http://169.254.169.254"):
        with pytest.raises(LiveError) as refusal:
            ask(owner, model="script-fast", route={"local_node_url": url})
        assert (refusal.value.code, refusal.value.field) == (ErrorCode.FORBIDDEN, "route.local_node_url")


def test_a_node_that_is_not_the_operators_any_more_is_not_asked(
    crew: Crew, other: Node, configure: Any, owner: Any
) -> None:
    configure({"name": "one", "url": crew.node.url}, {"name": "two", "url": other.url})
    started = ask(owner, model="script-fast", route={"local_node_url": other.url})
    configure({"name": "one", "url": crew.node.url})
    crew.carry(crew.here(), started.stream).result(15)
    assert failed(started.log, started.stream)["code"] == "forbidden"
    assert other.asked == []
