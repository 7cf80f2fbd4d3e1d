"""Clients that know nothing of Hanzo Live, unmodified: `openai` for JavaScript, `EventSource`, and `curl`.

`openai` for Python is in `tests/integration/test_openai.py`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import clean_environment, until
from tests.clients.javascript.project import JS, Project, project
from tests.contract.conformance.behind import Behind
from tests.contract.conformance.scenario import Cut
from tests.contract.conformance.wire import Wire, wires
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    return start(people=("Olga",))


@pytest.fixture
def installed(tmp_path: Path) -> Project:
    made = project(tmp_path)
    for name in ("openai", "eventsource", "eventsource-parser"):
        (tmp_path / "node_modules" / name).symlink_to(JS / "node_modules" / name)
    return made


def test_openai_for_javascript(installed: Project, stack: Stack) -> None:
    said = installed.run(SCRIPTS / "openai.mjs", URL=stack.url, OLGA=stack.people["Olga"].token)
    assert said == stack.node.said("What is JavaScript?")
    until(lambda: stack.node.requests("For ever")[-1]["state"] == "cancelled", "what was left is stopped")


def test_an_event_source_goes_on_after_cuts_and_rests_at_the_end(installed: Project, stack: Stack) -> None:
    cuts = (Cut(at="token", nth=2, do="cut"), Cut(at="token", nth=3, do="cut inside"))
    with wires(lambda: [Wire(Behind(stack), cuts)]) as (wire,):
        said = installed.run(SCRIPTS / "eventsource.mjs", URL=stack.url, THROUGH=f"http://127.0.0.1:{wire.port}")
    assert wire.idle == []
    assert said == stack.node.said("What is an event?")


def curl(*arguments: str) -> str:
    """What it prints. Fails the test where it fails."""
    command = ["curl", "-sS", "--fail-with-body", "-N", "--max-time", "60", *arguments]
    done = subprocess.run(command, env=clean_environment(no_proxy="*"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_curl(stack: Stack) -> None:
    ask = json.dumps({"content": "What is a curl?", "model": "script-thoughts"})
    said = curl(f"{stack.url}/v1/streams", "-H", "Accept: text/event-stream", "--json", ask)
    text = ""
    for block in said.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        text += json.loads(fields["data"])["data"] if fields.get("event") == "token" else ""
    assert text == stack.node.said("What is a curl?")
    messages = {"messages": [{"role": "user", "content": "What is a curl?"}], "model": "script-thoughts"}
    of_openai = curl(f"{stack.url}/v1/chat/completions", "--json", json.dumps({**messages, "stream": True}))
    *lines, done = [line for line in of_openai.split("\n") if line.startswith("data: ")]
    assert done == "data: [DONE]"
    deltas = [json.loads(line.removeprefix("data: "))["choices"][0]["delta"] for line in lines]
    assert "".join(delta.get("content") or "" for delta in deltas) == text
