"""Who is here, as Redis keeps it: per session its connections, per process a lease that all of its connections live by.

A connection's id is `<process>.<socket>`: where the process's lease has run out, the connection is gone as well.
Every change of a session has a number and rings the session's group, in one step (`lua/say.lua`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import orjson
import redis.asyncio
from redis.exceptions import RedisError

from presence.people import Connection

PREFIX = "live"
# A process says every RENEW_S that it lives; LEASE_S after its last word its people are gone.
RENEW_S = 3.0
LEASE_S = 10
# Whoever has connections in a session keeps its hash; after the last process died it goes by itself.
KEEP_S = 60

UNREACHABLE = (RedisError, OSError)

_SAY = (Path(__file__).parent / "lua" / "say.lua").read_text("utf-8")
_PROCESSES = f"{PREFIX}:presence:processes"


@dataclass(frozen=True, slots=True)
class Reading:
    """A session's connections by id, and the number of the last change that they contain."""

    number: int
    connections: dict[str, Connection]


@dataclass(frozen=True, slots=True)
class Note:
    """One change of a session, as its group is told."""

    process: str
    number: int
    puts: dict[str, Connection]
    dropped: list[str]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Note:
        puts = message["puts"]
        return cls(
            message["process"],
            message["n"],
            {id: Connection.of(orjson.loads(fields)) for id, fields in zip(puts[::2], puts[1::2], strict=True)},
            list(message["dropped"]),
        )


def process_of(id: str) -> str:
    return id.partition(".")[0]


class Leases:
    """`process` is this process's own id; `address_of` gives the channel and the group of a session's log."""

    def __init__(self, client: redis.asyncio.Redis, process: str, address_of: Callable[[str], tuple[str, str]]) -> None:
        self._redis = client
        self.process = process
        self._address_of = address_of
        self._say = client.register_script(_SAY)

    async def say(self, log: str, puts: Mapping[str, Connection], dropped: Iterable[str]) -> int:
        """Keep and announce; returns the session's number after it. Raises one of UNREACHABLE."""
        fields = [part for id, each in puts.items() for part in (id, orjson.dumps(each.fields()))]
        args = [*self._address_of(log), log, self.process, KEEP_S, len(puts), *fields, *dropped]
        return int(await cast(Awaitable[Any], self._say(keys=[_key(log)], args=args)))

    async def read(self, log: str) -> Reading:
        """Everybody's connections. Raises one of UNREACHABLE."""
        found = await cast(Awaitable[dict[bytes, bytes]], self._redis.hgetall(_key(log)))
        number = int(found.pop(b"#", 0))
        return Reading(number, {id.decode(): Connection.of(orjson.loads(each)) for id, each in found.items()})

    async def numbers(self, logs: Iterable[str]) -> list[int]:
        """The sessions' numbers now; the sessions are kept for another while. Raises one of UNREACHABLE."""
        pipeline = self._redis.pipeline(transaction=False)
        for log in logs:
            pipeline.hget(_key(log), "#")
            pipeline.expire(_key(log), KEEP_S)
        return [int(number or 0) for number in (await pipeline.execute())[::2]]

    async def renew(self, people: int) -> bool:
        """Live on, with so many people here. False where the lease had run out, or is the first.

        Raises one of UNREACHABLE.
        """
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.set(_lease(self.process), people, ex=LEASE_S, get=True)
        pipeline.sadd(_PROCESSES, self.process)
        return (await pipeline.execute())[0] is not None

    async def living(self, processes: Iterable[str]) -> set[str]:
        """Those of `processes` whose leases stand. Raises one of UNREACHABLE."""
        asked = list(processes)
        if not asked:
            return set()
        pipeline = self._redis.pipeline(transaction=False)
        for process in asked:
            pipeline.exists(_lease(process))
        return {process for process, lives in zip(asked, await pipeline.execute(), strict=True) if lives}


async def people_online(client: redis.asyncio.Redis) -> int:
    """The people in all processes together; who is in two of them counts twice. Raises one of UNREACHABLE."""
    processes = [name.decode() for name in await cast(Awaitable[set[bytes]], client.smembers(_PROCESSES))]
    pipeline = client.pipeline(transaction=False)
    for process in processes:
        pipeline.get(_lease(process))
    counts = dict(zip(processes, await pipeline.execute(), strict=True))
    if dead := [process for process, count in counts.items() if count is None]:
        await client.srem(_PROCESSES, *dead)
    return sum(int(count) for count in counts.values() if count is not None)


def _key(log: str) -> str:
    return f"{PREFIX}:{{{log}}}:presence"


def _lease(process: str) -> str:
    return f"{PREFIX}:presence:process:{process}"
