from __future__ import annotations

from collections.abc import Iterator

import pytest

from streaming.cache.semantic.embedders import the_embedder
from streaming.cache.store import the_store
from streaming.runner.worker import WorkerProcess
from tests.streaming.runner.house import Crew


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
