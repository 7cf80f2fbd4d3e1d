"""Every client passes every scenario against a real server, over a wire that cuts, loses, repeats and delays."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.edge.edge import SHIPPED
from tests.clients.edge.edge import edge as edge_of
from tests.contract.conformance import clients, judge, table
from tests.contract.conformance.behind import Behind
from tests.contract.conformance.clients import CLIENTS, Client
from tests.contract.conformance.scenario import Named, scenarios
from tests.contract.conformance.wire import Wire, wires
from tests.integration.conftest import node_url, start
from tests.integration.stack import Stack

__all__ = ["node_url", "start"]

pytestmark = pytest.mark.timeout(300)

SCENARIOS = scenarios()
CELLS = [(named, client) for client in CLIENTS for named in SCENARIOS]
PATIENCE_S = 120.0
TRIES = 3
BEFORE_EACH_WIRE = (
    (SHIPPED / "worker.ts")
    .read_text()
    .replace("env.HANZO_NODE_URL,", "`${env.HANZO_NODE_URL}:${new URL(request.url).pathname.split('/')[1]}`,")
)


@dataclass
class Cell:
    named: Named
    client: Client
    wire: Wire
    prompts: list[str]

    def job(self, stack: Stack, edge: str) -> dict[str, Any]:
        scenario = self.named.scenario
        token = stack.people["Olga"].token
        asks = [
            {**ask.model_dump(), "content": prompt} for ask, prompt in zip(scenario.asks, self.prompts, strict=True)
        ]
        return {
            "url": f"{edge}/{self.wire.port}" if self.client.kind == "edge" else f"http://127.0.0.1:{self.wire.port}",
            "token": token if scenario.token == "good" else "hzt_wrong",
            "rest": stack.url,
            "rest_token": token,
            "asks": asks,
            "client": [step.model_dump() for step in scenario.client],
            "max_attempts": scenario.max_attempts,
        }


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    limits = ("MAX_STREAM_STARTS_PER_MINUTE", "MAX_STREAMS_PER_USER", "MAX_READS_PER_MINUTE", "MAX_WRITES_PER_MINUTE")
    return start(people=("Olga",), **dict.fromkeys(limits, "0"))


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An edge before every wire: the first part of a path is the wire's port."""
    with edge_of(tmp_path_factory.mktemp("edge"), BEFORE_EACH_WIRE, "http://127.0.0.1") as origin:
        yield origin


@pytest.fixture(scope="module")
def found(stack: Stack, edge: str, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[str]]:
    """The faults of each cell, by scenario and client.

    On a busy machine several tokens may come as one, or an answer be over too soon: what did not come about is tried again.
    """
    server = Behind(stack)
    faults: dict[tuple[str, str], list[str]] = {}
    cells = [
        (named, client) for named, client in CELLS if client.kind not in named.scenario.without
    ]  # the others have no wire
    for _ in range(TRIES):
        with wires(lambda cells=cells: [Wire(server, named.scenario.wire) for named, _ in cells]) as made:
            run = [_cell(named, client, wire) for (named, client), wire in zip(cells, made, strict=True)]
            faults |= _run(stack, edge, run, tmp_path_factory)
            cells = [(cell.named, cell.client) for cell in run if not judge.came_about(cell.named.scenario, cell.wire)]
        if not cells:
            break
    return faults


def _run(stack: Stack, edge: str, run: list[Cell], places: pytest.TempPathFactory) -> dict[tuple[str, str], list[str]]:
    """The faults of these cells."""
    faults: dict[tuple[str, str], list[str]] = {}
    busy = [client for client in CLIENTS if any(cell.client is client for cell in run)]
    # Two at once: as many as there are processors; each runs all of its scenarios at once.
    for pair in (busy[n : n + 2] for n in range(0, len(busy), 2)):
        started = []
        for client in pair:
            own = [cell for cell in run if cell.client is client]
            process = clients.start(client, [cell.job(stack, edge) for cell in own], places.mktemp(client.id))
            started.append((own, process))
        for own, process in started:
            for cell, outcomes in zip(own, clients.outcomes(process, PATIENCE_S), strict=True):
                faults[cell.named.name, cell.client.id] = _judge(stack, cell, outcomes)
    return faults


def _cell(named: Named, client: Client, wire: Wire) -> Cell:
    once = secrets.token_hex(4)
    prompts = [f"{named.name} of {client.id} {n} {once}" for n, _ in enumerate(named.scenario.asks)]
    return Cell(named, client, wire, prompts)


def _judge(stack: Stack, cell: Cell, outcomes: list[dict[str, Any]]) -> list[str]:
    asks = cell.named.scenario.asks
    asked = [stack.node.requests(prompt) for prompt in cell.prompts]
    said = [stack.node.said(prompt) if requests else "" for prompt, requests in zip(cell.prompts, asked, strict=True)]
    assert len(outcomes) in {1, len(asks)}
    return judge.faults(cell.named.scenario, outcomes, said, [len(each) for each in asked], cell.wire)


@pytest.mark.parametrize(("named", "client"), CELLS, ids=[f"{client.id}-{named.name}" for named, client in CELLS])
def test_a_client_passes(found: dict[tuple[str, str], list[str]], named: Named, client: Client) -> None:
    if client.kind in named.scenario.without:
        assert (named.name, client.id) not in found
    else:
        assert found[named.name, client.id] == []


def test_the_kept_results_are_what_this_run_found(found: dict[tuple[str, str], list[str]]) -> None:
    results: table.Results = {}
    for named, client in CELLS:
        without = named.scenario.without.get(client.kind)
        faults = found.get((named.name, client.id), [])
        results.setdefault(named.name, {})[client.id] = without or "; ".join(faults) or table.PASSED
    if os.environ.get("WRITE_CONFORMANCE"):
        assert not any(found.values()), "what has faults is not kept"
        table.RESULTS.write_text(table.as_text(results))
    assert json.loads(table.RESULTS.read_text()) == results, "scripts/conformance --write"


def test_a_judge_finds_what_is_wrong() -> None:
    """Nothing here would show that a client is at fault if the judge saw none."""
    (resume,) = [named.scenario for named in SCENARIOS if named.name == "resume"]
    wire = Wire(Behind(None), ())  # type: ignore[arg-type]
    token = {"type": "token", "seq": 2, "n": 1}
    usage = {"completion_tokens": 2}
    good = [
        {"type": "stream_start", "seq": 1},
        {**token, "data": "Hel"},
        {**token, "seq": 3, "data": "lo"},
        {"type": "complete", "seq": 4, "finish_reason": "stop", "usage": usage},
    ]

    def faults(events: list[dict[str, Any]], asked: int = 1, **outcome: Any) -> list[str]:
        text = {"text": "Hello", "pieces": ["Hel", "lo"], "error": None, "pieces_error": None}
        return judge.faults(resume, [{**text, "events": events, **outcome}], ["Hello"], [asked], wire)

    assert faults(good) == []
    assert faults(good, text="Hell")
    assert faults(good, pieces=["Hel", "lo", "lo"])
    assert faults(good, pieces_error="INTERNAL")
    assert faults(good, asked=2)
    assert faults([*good, good[-1]])
    assert faults(good[:-1])
    assert faults([good[0], good[2], good[1], good[3]])
    assert faults([good[0], good[1], good[1], *good[2:]])
    assert judge.faults(resume, [{"broken": "no"}], ["Hello"], [1], wire)
    wire = Wire(Behind(None), resume.wire)  # type: ignore[arg-type]
    assert faults(good)
