"""A similar question gets the answer, where its asker wants that; nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hanzo_live.protocol.options import CacheOptions, FunctionSpec
from streaming.cache.semantic import embedders, search
from streaming.cache.semantic.embedding import SIZE
from streaming.cache.semantic.index import Index
from streaming.cache.store import the_store
from streaming.runner.worker import WorkerProcess
from tests.streaming.runner.house import Crew, ask, events, row

SIMILAR = CacheOptions(enabled=True, semantic=True)
FRANCE = "What is the capital of France?"
SAME = "What's the capital of France?"


@pytest.fixture(autouse=True)
def _own_vectors() -> Iterator[None]:
    search.the_vectors.cache_clear()
    yield
    search.the_vectors.cache_clear()


def asked(crew: Crew, worker: WorkerProcess, user: Any, prompt: str, **options: Any) -> str:
    started = ask(user, prompt, cache=options.pop("cache", SIMILAR), **options)
    crew.carry(worker, started.stream).result(15)
    return str(row(started.stream).cached)


def test_a_similar_question_is_answered_and_labelled(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    asked(crew, worker, owner, FRANCE)
    started = ask(owner, SAME, cache=SIMILAR)
    assert (row(started.stream).cached, row(started.stream).content) == ("semantic", FRANCE)
    told = events(started.log)
    assert (told[0]["cached"], told[-1]["cached"]) == ("semantic", "semantic")
    assert 0.95 <= told[-1]["similarity"] < 1


def test_the_same_question_is_the_same(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, FRANCE) == "exact"


@pytest.mark.parametrize(
    ("other", "options"),
    [
        ("What is the capital of Italy?", {}),
        (SAME, {"cache": CacheOptions(enabled=True)}),
        (SAME, {"cache": CacheOptions(enabled=True, semantic=True, similarity_threshold=1)}),
        (SAME, {"temperature": 0.1}),
        (SAME, {"model": "script-fast"}),
        (SAME, {"tools": [FunctionSpec(name="look")]}),
    ],
    ids=["another", "not wanted", "not similar enough", "sampling", "model", "tools"],
)
def test_nothing_else_is(crew: Crew, worker: WorkerProcess, owner: Any, other: str, options: dict[str, Any]) -> None:
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, other, **options) == ""


def test_somebody_else_is_not(crew: Crew, worker: WorkerProcess, owner: Any, outsider: Any) -> None:
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, outsider, SAME) == ""


def test_in_a_conversation_it_is_not(crew: Crew, worker: WorkerProcess, owner: Any, live_session: Any) -> None:
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, SAME, session="the-plan") == "semantic"
    assert asked(crew, worker, owner, SAME, session="the-plan") == ""


def test_what_is_gone_is_not_found(crew: Crew, worker: WorkerProcess, owner: Any) -> None:
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, SAME) == "semantic"
    the_store().drop([key for key, _ in the_store().all()])
    assert asked(crew, worker, owner, SAME) == ""
    # Redis came back empty: what is kept from then on is found.
    the_store()._redis.flushall()
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, "Tell me, what is the capital of France?", cache=SIMILAR) in ("", "semantic")
    assert asked(crew, worker, owner, "what is the capital of france", cache=SIMILAR) == "semantic"


def test_without_the_extra_only_the_same_is_found(
    crew: Crew, worker: WorkerProcess, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedders, "is_installed", lambda: False)
    asked(crew, worker, owner, FRANCE)
    assert asked(crew, worker, owner, SAME) == ""
    assert asked(crew, worker, owner, FRANCE) == "exact"


def test_the_index_finds_what_comparing_all_finds() -> None:
    dice = np.random.default_rng(1)
    vectors = dice.standard_normal((6_000, SIZE)).astype(np.float32)
    vectors[1_000:2_000] = vectors[:1_000] + 0.3 * dice.standard_normal((1_000, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = Index(10_000)
    for number, vector in enumerate(vectors):
        index.add(b"k", str(number), "", vector)
    for number in range(0, 1_000, 50):
        exact = vectors @ vectors[number]
        expected = {str(at) for at in np.flatnonzero(exact >= 0.9)}
        found = {near.key for near in index.search(b"k", vectors[number], 0.9, 100)}
        assert expected <= found
        assert all(exact[int(key)] >= 0.89 for key in found)
    assert index.search(b"other", vectors[0], 0.5, 10) == []


def test_the_index_lets_go_of_the_oldest_half() -> None:
    dice = np.random.default_rng(2)
    vectors = dice.standard_normal((101, SIZE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = Index(100)
    for number, vector in enumerate(vectors):
        index.add(b"k", str(number), "", vector)
    assert len(index) == 51
    assert index.search(b"k", vectors[0], 0.95, 10) == []
    assert [near.key for near in index.search(b"k", vectors[99], 0.95, 10)] == ["99"]
    index.discard("99")
    assert index.search(b"k", vectors[99], 0.95, 10) == []
