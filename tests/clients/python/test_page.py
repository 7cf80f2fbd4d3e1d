"""`docs/python.md` is true: every example runs against a real server, the seed's word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.python.page import CLIENTS, SERVER, filled_in
from tests.clients.python.programs import example, free_port, program
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("source", CLIENTS, ids=range(len(CLIENTS)))
def test_an_example_runs(stack: Stack, tmp_path: Path, source: str) -> None:
    port = int(stack.url.rpartition(":")[2])
    done = example(tmp_path, filled_in(source, port), TOKEN=stack.people["Olga"].token)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "it says what the model said"


def test_the_seeds_server_answers_the_seeds_client(node_url: str, tmp_path: Path) -> None:
    port = free_port()
    with program(tmp_path, filled_in(SERVER, port), STANDIN_NODE=f"{node_url}/v1") as serve:
        done = example(tmp_path, filled_in(CLIENTS[0], port))
        assert done.returncode == 0, f"{done.stderr}\n{serve.text}"
        assert "[" in done.stdout
        assert len(done.stdout) > 20
