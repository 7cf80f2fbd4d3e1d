from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.streaming.runner.house import Crew, Node


@pytest.fixture
def node(settings: Any) -> Iterator[Node]:
    node = Node()
    settings.NODE_URL = node.url
    yield node
    node.close()


@pytest.fixture
def crew(node: Node, transactional_db: None) -> Iterator[Crew]:
    crew = Crew(node)
    yield crew
    crew.close()
