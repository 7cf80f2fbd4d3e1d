"""Drafts as Redis keeps them: per session the open generation and the list of its updates, in order.

Whoever adds has seen all before it (compare-and-set), so no process owns a draft. Knows nothing of what updates hold.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import redis
import redis.asyncio
from redis.exceptions import RedisError

PREFIX = "live"
# Of a draft that nobody touches and whose session was not deleted.
KEEP_S = 180 * 86_400
MARK_BYTES = 8

UNREACHABLE = (RedisError, OSError)

_LUA = Path(__file__).parent / "lua"


@dataclass(frozen=True, slots=True)
class Place:
    """How far somebody has read: so many updates of the generation, the last of which bears this mark."""

    generation: int = 0
    updates: int = 0
    mark: bytes = b""


@dataclass(frozen=True, slots=True)
class Read:
    """`updates` follow the place that was asked for; with `whole` they are all, whatever one had."""

    place: Place
    updates: list[bytes]
    whole: bool
    begun: bool  # the floor opened this generation just now


class DraftStore:
    """`log` is the session's log everywhere. Every method raises one of UNREACHABLE."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._read, self._append, self._compact, self._advance = (
            client.register_script((_LUA / f"{name}.lua").read_text("utf-8"))
            for name in ("read", "append", "compact", "advance")
        )

    async def read(self, log: str, place: Place, floor: int) -> Read:
        """What follows `place`. Opens the generation `floor` where a lower one is open."""
        args: list[bytes | int] = [floor, place.generation, place.updates, place.mark]
        reply = await cast(Awaitable[list[Any]], self._read(keys=[_meta(log)], args=args))
        generation, last, begun, whole, *entries = reply
        mark = entries[-1][:MARK_BYTES] if entries else b"" if whole else place.mark
        return Read(Place(generation, last, mark), [entry[MARK_BYTES:] for entry in entries], bool(whole), bool(begun))

    async def append(self, log: str, place: Place, update: bytes) -> tuple[Place, int] | None:
        """The place after it and the length of the list; None where `place` is not the end (any more)."""
        mark = secrets.token_bytes(MARK_BYTES)
        args: list[bytes | int] = [place.generation, place.updates, place.mark, mark + update, KEEP_S]
        length = int(await cast(Awaitable[Any], self._append(keys=[_meta(log)], args=args)))
        return (Place(place.generation, place.updates + 1, mark), length) if length else None

    async def compact(self, log: str, place: Place, merged: bytes) -> bool:
        """Keep `merged` for all updates up to `place`. False where somebody else did, or the generation is over."""
        args: list[bytes | int] = [place.generation, place.updates, place.mark, place.mark + merged]
        return bool(await cast(Awaitable[Any], self._compact(keys=[_meta(log)], args=args)))

    async def advance(self, log: str, generation: int) -> bool:
        """Open the next generation. False where `generation` is not the open one."""
        return bool(await cast(Awaitable[Any], self._advance(keys=[_meta(log)], args=[generation, KEEP_S])))


def drop(client: redis.Redis, log: str) -> None:
    """The session is gone, and its draft with it. Blocks. Raises one of UNREACHABLE."""
    generation = cast(bytes | None, client.hget(_meta(log), "generation")) or b"0"
    client.delete(_meta(log), f"{_meta(log)}:{int(generation)}")


def _meta(log: str) -> str:
    return f"{PREFIX}:{{{log}}}:draft"
