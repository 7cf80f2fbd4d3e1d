"""The built `@hanzo/live-client` in Node, against a real server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.javascript.project import Project, project
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    return start(people=("Olga", "Tariq"))


@pytest.fixture
def installed(tmp_path: Path) -> Project:
    return project(tmp_path)


def run(installed: Project, name: str, stack: Stack) -> str:
    people = {name.upper(): person.token for name, person in stack.people.items()}
    return installed.run(SCRIPTS / name, URL=stack.url, **people)


def test_answers_are_read_as_text_as_events_and_by_several_at_once(installed: Project, stack: Stack) -> None:
    assert run(installed, "answers.mjs", stack) == stack.node.said("What is light?")


def test_an_aborted_answer_is_stopped_on_the_server(installed: Project, stack: Stack) -> None:
    run(installed, "abort.mjs", stack)


def test_a_slow_reader_holds_back_what_is_sent_to_it_and_has_the_whole_text(installed: Project, stack: Stack) -> None:
    assert run(installed, "slow.mjs", stack) == stack.node.said("Tell me everything.")


def test_what_was_interrupted_is_resumed(installed: Project, stack: Stack) -> None:
    assert run(installed, "interrupted.mjs", stack) == stack.node.said("What is a river?")


def test_people_are_invited_and_share_a_session(installed: Project, stack: Stack) -> None:
    run(installed, "session.mjs", stack)


def test_server_sent_events_go_on_after_every_cut(installed: Project, stack: Stack) -> None:
    assert run(installed, "sse.mjs", stack) == stack.node.said("What is a stone?")


def test_it_is_there_for_require_as_well(installed: Project, stack: Stack) -> None:
    assert run(installed, "required.cjs", stack) == stack.node.said("What is required?")


def test_without_a_web_socket_it_says_what_to_install(tmp_path: Path, stack: Stack) -> None:
    run(project(tmp_path, ws=False), "without-socket.mjs", stack)


def test_what_a_client_counts_is_told_to_the_server(installed: Project, stack: Stack) -> None:
    run(installed, "metrics.mjs", stack)
    with stack.rest() as rest:
        figures = dict(line.rsplit(" ", 1) for line in rest.get("/metrics").text.splitlines() if line[0] != "#")
    assert float(figures["hanzo_live_client_connections_total"]) == 1
    assert float(figures['hanzo_live_client_streams_total{status="complete"}']) == 1
    assert float(figures['hanzo_live_client_errors_total{code="context_length"}']) == 1
    assert float(figures["hanzo_live_client_tokens_total"]) == 256
    assert float(figures["hanzo_live_client_latency_ms_count"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"connections": -1},
        {"tokens": 10**9},
        {"errors": {"made_up": 1}},
        {"latency_ms": [1] * 201},
        {"tokens_per_second": ["NaN"]},
        [],
    ],
)
def test_counts_that_no_client_has_are_refused(stack: Stack, wrong: object) -> None:
    with stack.rest() as rest:
        refused = rest.post("/v1/metrics/client", json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
