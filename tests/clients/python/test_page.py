"""`docs/python.md` is true: every example runs against a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.python.page import EXAMPLES, filled_in
from tests.clients.python.programs import example
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("source", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(stack: Stack, tmp_path: Path, source: str) -> None:
    port = int(stack.url.rpartition(":")[2])
    done = example(tmp_path, filled_in(source, port), TOKEN=stack.people["Olga"].token)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "it says what the model said"
