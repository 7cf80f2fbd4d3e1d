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
def crew(node: Node, transactional_db: None) -> Iterator[Crew]:
    """The workers that a test starts."""
    crew = Crew(node)
    yield crew
    crew.close()
