from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from streaming.cache.semantic.embedders import the_embedder
from streaming.cache.store import the_store
from streaming.runner.worker import WorkerProcess
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


@pytest.fixture
def worker(crew: Crew) -> WorkerProcess:
    return crew.here()


@pytest.fixture(autouse=True)
def _store_by_these_settings() -> Iterator[None]:
    for each in (the_store, the_embedder):
        each.cache_clear()
    yield
    for each in (the_store, the_embedder):
        each.cache_clear()
