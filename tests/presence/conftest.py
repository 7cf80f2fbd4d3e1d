"""Processes as presence knows them, on the real Valkey: each an Attendance with its hub's groups, on a clock of the test's."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio

from presence.attendance import Attendance, Hear
from presence.leases import Leases
from streaming.hub import Hub
from streaming.layer import LiveChannelLayer
from streaming.log.script import group_channel, group_of

LOG = "session:00000000-0000-4000-8000-000000000001"
MAX_LISTED = 50


class FakeClock:
    """Stands still until it is told how far to go; then calls what is due in order."""

    def __init__(self) -> None:
        self._now = 1_000.0
        self._due: list[tuple[float, int, FakeTimer]] = []
        self._count = itertools.count()

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], Any], /) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self._due, (self._now + delay, next(self._count), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            if timer.callback is not None:
                timer.callback()
        self._now = end


class FakeTimer:
    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback: Callable[[], Any] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Watching:
    """A viewer's socket and the client behind it, which folds what it is told."""

    def __init__(self, clock: FakeClock) -> None:
        self.ready = True
        self.takes = True
        self.listed = False
        self.frames: list[tuple[float, dict[str, Any]]] = []
        self.people: dict[str, dict[str, Any]] = {}
        self.total: int | None = None
        self.summarised = False
        self._clock = clock

    def tell(self, frame: dict[str, Any]) -> bool:
        if not self.takes:
            return False
        self.frames.append((self._clock.time(), frame))
        self.total = frame["total"]
        self.summarised = frame.get("summarised", False)
        if "users" in frame:
            self.people.clear()
            self.listed = True
        assert self.listed, "the whole list comes first"
        for person in frame.get("users", frame.get("changes")):
            if person["left"]:
                del self.people[person["user"]["id"]]
            else:
                self.people[person["user"]["id"]] = person
        return True

    @property
    def names(self) -> set[str]:
        return {person["user"]["name"] for person in self.people.values()}

    def of(self, name: str) -> dict[str, Any]:
        return next(person for person in self.people.values() if person["user"]["name"] == name)

    def ever_left(self, name: str) -> bool:
        return any(
            person["left"] and person["user"]["name"] == name
            for _, frame in self.frames
            for person in frame.get("changes", [])
        )


def person(name: str) -> dict[str, Any]:
    return {"id": f"id of {name}", "name": name, "avatar": None}


class Process:
    """One web process: what people's sockets do in it, by name of the socket."""

    def __init__(self, name: str, hub: Hub, client: redis.asyncio.Redis, clock: FakeClock, max_listed: int) -> None:
        self.name, self.hub, self.clock, self.redis = name, hub, clock, client
        self.leases = Leases(client, name, lambda log: (group_channel(group_of(log)), group_of(log)))
        self.attendance = Attendance(self.leases, self, lambda event: event, max_listed=max_listed, clock=clock)

    # presence's Bell

    def listen(self, log: str, hear: Hear) -> None:
        self.hub.listen(group_of(log), hear)

    def unlisten(self, log: str, hear: Hear) -> None:
        self.hub.unlisten(group_of(log), hear)

    def enter(self, name: str, socket: str = "", log: str = LOG) -> Watching:
        watching = Watching(self.clock)
        self.attendance.enter(log, socket or name, person(name), watching)
        return watching

    def leave(self, socket: str, *, linger: bool = False) -> None:
        self.attendance.leave(LOG, socket, linger=linger)

    def update(self, socket: str, **fields: Any) -> None:
        assert self.attendance.update(LOG, socket, **fields)

    async def die(self) -> None:
        """Killed: it says nothing more, and its lease runs out."""
        await self.attendance.close()
        await self.hub.close()
        await self.redis.delete(f"live:presence:process:{self.name}")


class Processes:
    def __init__(self, redis_url: str) -> None:
        self.clock = FakeClock()
        self.redis = redis.asyncio.Redis.from_url(redis_url)
        self._url = redis_url
        self._names = itertools.count(1)
        self.all: list[Process] = []
        self._layers: list[Any] = []

    async def start(self, max_listed: int = MAX_LISTED) -> Process:
        layer = LiveChannelLayer(hosts=[{"address": self._url, "max_connections": 50}]).here()
        self._layers.append(layer)
        hub = Hub(layer)
        # As in the consumer: the log is joined, and Redis has confirmed that, before presence begins.
        await hub._join(LOG)
        process = Process(f"p{next(self._names)}", hub, self.redis, self.clock, max_listed)
        self.all.append(process)
        return process

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Let time pass, in small steps, until the condition holds."""
        async with asyncio.timeout(10):
            while not condition():
                await self.pass_time(0.01)
                await asyncio.sleep(0.001)

    async def pass_time(self, seconds: float, step: float = 0.01) -> None:
        """Time passes; between the steps what was started may go on."""
        for _ in range(max(1, round(seconds / step))):
            self.clock.advance(step)
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Until nothing is under way: all that was said is heard, and told."""
        quiet = 0
        async with asyncio.timeout(20):
            while quiet < 3:
                before = [(room.number, len(room.unsaid)) for room in self._rooms()]
                await self.pass_time(0.1)
                await asyncio.sleep(0.005)
                busy = any(room.loading or room.said or room.dropped or room.unsaid for room in self._rooms())
                same_number = len({room.number for room in self._rooms() if room.loaded}) <= 1
                same = before == [(room.number, len(room.unsaid)) for room in self._rooms()]
                quiet = quiet + 1 if same and same_number and not busy else 0

    def _rooms(self) -> list[Any]:
        return [room for process in self.all for log, room in process.attendance._rooms.items() if log == LOG]

    async def close(self) -> None:
        for process in self.all:
            await process.attendance.close()
            await process.hub.close()
        for layer in self._layers:
            await layer.flush()
        await self.redis.aclose()


@pytest_asyncio.fixture
async def processes(redis_url: str) -> AsyncIterator[Processes]:
    made = Processes(redis_url)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def process(processes: Processes) -> Process:
    return await processes.start()


@pytest.fixture
def until(processes: Processes) -> Callable[..., Awaitable[None]]:
    return processes.until
