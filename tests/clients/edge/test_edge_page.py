"""`docs/edge.md` is true: its Worker runs in workerd before a real server, and the clients work through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.edge.edge import edge
from tests.clients.javascript.project import project
from tests.clients.javascript.snippets import snippets
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[3] / "docs" / "edge.md"
SCRIPTS = Path(__file__).parents[1] / "javascript" / "scripts"
SNIPPETS = snippets(PAGE)
WORKER = "\n".join(SNIPPETS[name].text for name in ("Edge Deployment (Cloudflare Workers)", "The class of the objects"))


@pytest.fixture(scope="module")
def stack(start: Callable[..., Stack]) -> Stack:
    return start(people=("Olga", "Tariq"))


@pytest.fixture(scope="module")
def origin(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with edge(tmp_path_factory.mktemp("edge"), WORKER, stack.url) as origin:
        yield origin


@pytest.mark.parametrize(
    ("script", "question"),
    [("answers.mjs", "What is light?"), ("interrupted.mjs", "What is a river?"), ("slow.mjs", "Tell me everything.")],
)
def test_the_client_reads_answers_through_it(
    script: str, question: str, origin: str, stack: Stack, tmp_path: Path
) -> None:
    said = project(tmp_path).run(SCRIPTS / script, URL=origin, OLGA=stack.people["Olga"].token)
    assert said == stack.node.said(question)
