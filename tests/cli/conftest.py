"""One scripted node for all tests of the command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.processes import scripted_node


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    with scripted_node() as url:
        yield url
