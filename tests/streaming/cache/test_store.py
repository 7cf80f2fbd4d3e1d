"""So many answers, so much memory, each for its time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streaming.cache.store import KEYS, About, AnswerStore, CacheUnavailable
from tests.streaming.runner.house import until

SOMEBODY = About("u1", "s1", ("m1", "m2"))


@pytest.fixture
def store(redis_url: str) -> Callable[..., AnswerStore]:
    def make(max_entries: int = 100, max_bytes: int = 100_000) -> AnswerStore:
        return AnswerStore(redis_url, max_entries=max_entries, max_bytes=max_bytes)

    return make


def test_what_was_kept_is_found(store: Callable[..., AnswerStore]) -> None:
    kept = store()
    assert kept.get("a") is None
    assert kept.put("a", b"one", SOMEBODY, 60) == 1
    assert kept.put("a", b"two", SOMEBODY, 60) == 1
    assert (kept.get("a"), kept.count()) == (b"two", 1)
    assert list(kept.all()) == [("a", SOMEBODY)]


def test_the_least_recently_used_goes_first(store: Callable[..., AnswerStore]) -> None:
    kept = store(max_entries=3)
    for key in "abc":
        kept.put(key, b"x", SOMEBODY, 60)
        until(lambda key=key: kept.get(key))
    moment = kept._redis.time()
    until(lambda: kept._redis.time()[1] // 1000 != moment[1] // 1000)  # another millisecond
    kept.get("a")
    kept.put("d", b"x", SOMEBODY, 60)
    assert {key: kept.get(key) is not None for key in "abcd"} == {"a": True, "b": False, "c": True, "d": True}


def test_memory_is_bounded(store: Callable[..., AnswerStore]) -> None:
    kept = store(max_bytes=10_000)
    assert kept.put("large", b"x" * 2_000, SOMEBODY, 60) is None
    for number in range(50):
        kept.put(str(number), b"x" * 1_000, SOMEBODY, 60)
    assert 5 <= kept.count() <= 10
    assert int(kept._redis.hget(KEYS[4], "bytes")) <= 10_000  # type: ignore[arg-type]
    assert kept.get("49") is not None


def test_what_is_dropped_takes_its_room_with_it(store: Callable[..., AnswerStore]) -> None:
    kept = store()
    kept.put("a", b"x", SOMEBODY, 60)
    assert (kept.drop(["a", "b"]), kept.drop([]), kept.count()) == (1, 0, 0)
    assert int(kept._redis.hget(KEYS[4], "bytes")) == 0  # type: ignore[arg-type]


def test_its_time_ends(store: Callable[..., AnswerStore]) -> None:
    kept = store()
    kept.put("a", b"x", SOMEBODY, 1)
    kept.put("b", b"x", SOMEBODY, 60)
    until(lambda: kept.get("a") is None)
    kept.put("c", b"x", SOMEBODY, 60)
    assert kept.count() == 2
    assert all(kept._redis.ttl(name) > 1 for name in KEYS[:5])  # type: ignore[operator]


def test_without_redis_it_says_so() -> None:
    gone = AnswerStore("redis://127.0.0.1:1", max_entries=1, max_bytes=100)
    for use in (lambda: gone.get("a"), lambda: gone.count(), lambda: list(gone.all()), lambda: gone.drop(["a"])):
        with pytest.raises(CacheUnavailable):
            use()
