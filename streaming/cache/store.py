"""Where answers are kept: in Redis, so many and so much, the least recently used going first. For code in threads.

One hash tag: all of it lies in one slot of a Redis Cluster, and each change is one script.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import redis
import redis.backoff
import redis.exceptions
import redis.retry
from django.conf import settings

# A model is a fallback for a cache, not the other way round: it is asked after this long.
TIMEOUT_S = 0.5
CONNECTIONS = 64
# An answer may take this share of all the room at most.
LARGEST_SHARE = 8
# Entries looked at in one step of a purge.
AT_ONCE = 500

TAG = "live:{cache}"
KEYS = [f"{TAG}:{name}" for name in ("entries", "used", "expires", "about", "meta", "vectors", "order")]
ENTRIES, USED, EXPIRES, ABOUT, META, VECTORS, ORDER = KEYS


class CacheUnavailable(Exception):
    """Redis did not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class About:
    """Whose an entry is, for who wants it gone: ids as text, empty where there is none."""

    user: str = ""
    session: str = ""
    models: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        return orjson.dumps([self.user, self.session, self.models])

    @classmethod
    def from_bytes(cls, raw: bytes) -> About:
        user, session, models = orjson.loads(raw)
        return cls(user, session, tuple(models))


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors that came after a position, and the position that they reach, in an epoch: after a loss another one."""

    epoch: bytes
    position: int
    new: list[tuple[str, bytes]]


class AnswerStore:
    """The entries of one Redis. Every method raises CacheUnavailable."""

    def __init__(self, url: str, *, max_entries: int, max_bytes: int) -> None:
        self._redis = redis.Redis.from_url(
            url, max_connections=CONNECTIONS, protocol=2, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        )  # fmt: skip
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._get, self._put, self._drop = (self._script(name) for name in ("get", "put", "drop"))
        self._vectors = self._script("vectors")

    def get(self, key: str) -> bytes | None:
        """What is kept under `key`; used now, it is kept longer than what is not."""
        found: bytes | None = self._run(self._get, [key], KEYS[:3])
        return found

    def put(self, key: str, answer: bytes, about: About, keep_s: int, vector: bytes = b"") -> int | None:
        """Keep `answer`, with a vector to be found by; returns how many there are, None where it is too large."""
        if len(answer) > self._max_bytes // LARGEST_SHARE:
            return None
        arguments = [key, answer, about.to_bytes(), keep_s, self._max_entries, self._max_bytes]
        arguments += [vector, secrets.token_hex(8)]
        return int(self._run(self._put, arguments))

    def drop(self, keys: list[str]) -> int:
        """Let go of these; returns how many of them there were."""
        return int(self._run(self._drop, keys)) if keys else 0

    def vectors(self, epoch: bytes, position: int) -> Vectors:
        """Up to AT_ONCE vectors that came after `position`; from the first one where the epoch is another."""
        found, reached, new = self._run(self._vectors, [epoch, position, AT_ONCE], [META, VECTORS, ORDER])
        return Vectors(found, int(reached), [(key.decode(), raw) for key, raw in zip(new[::2], new[1::2], strict=True)])

    def all(self) -> Iterator[tuple[str, About]]:
        """Every entry that is there from beginning to end; some of those that come or go meanwhile, maybe twice."""
        try:
            for key, raw in self._redis.hscan_iter(ABOUT, count=AT_ONCE):
                yield key.decode(), About.from_bytes(raw)
        except (redis.exceptions.RedisError, OSError) as error:
            raise CacheUnavailable(str(error)) from error

    def count(self) -> int:
        try:
            return int(self._redis.zcard(USED))
        except (redis.exceptions.RedisError, OSError) as error:
            raise CacheUnavailable(str(error)) from error

    def _script(self, name: str) -> Any:
        return self._redis.register_script((Path(__file__).parent / "lua" / f"{name}.lua").read_text("utf-8"))

    def _run(self, script: Any, arguments: list[Any], keys: list[str] = KEYS) -> Any:
        try:
            return script(keys=keys, args=arguments)
        except (redis.exceptions.RedisError, OSError) as error:
            raise CacheUnavailable(str(error)) from error


@cache
def the_store() -> AnswerStore:
    """This process's."""
    return AnswerStore(
        settings.REDIS_URL, max_entries=settings.CACHE_MAX_ENTRIES, max_bytes=settings.CACHE_MAX_MB * 1024 * 1024
    )
