"""What tests of streams share, whatever they are about: a node, and workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.streaming.runner.house import Crew, Node


@pytest.fixture
def node(settings: Any) -> Iterator[Node]:
    """A scripted node, which workers ask."""
    node = Node()
    settings.NODE_URL = node.url
    yield node
    node.close()


@pytest.fixture
def crew(node: Node, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """The workers that a test starts. Those of this process ask a node that failed again much sooner than people's do."""
    monkeypatch.setattr("streaming.runner.recovery.DELAYS_S", (0.02, 0.05))
    crew = Crew(node)
    yield crew
    crew.close()
