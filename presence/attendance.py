"""This process's part in presence: who comes, what they do, who leaves, and what the other processes say of theirs.

A process is the only writer of its own connections and takes them for what they are at once; it learns of others from
the session's group, and reads Redis where it missed something (a hole in the numbers). Whoever sees that a process's
lease ran out takes its connections away. Nothing here goes through the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from presence import metrics
from presence.leases import RENEW_S, UNREACHABLE, Leases, Note, process_of
from presence.pace import Clock, Expiry
from presence.people import Wire
from presence.room import Mine, Room, Viewer

logger = logging.getLogger(__name__)

# A cut socket's person is not shown as gone before they had time to come back.
GRACE_S = 5.0
TYPING_S = 6.0
IDLE_S = 300.0
TICK_S = 1.0
# Sessions asked for in one go: more would hold the event loop up.
LOOKED_AT_ONCE = 100


class _Keep:
    """The cursor stays as it was: null hides it."""


KEEP: Final = _Keep()

Hear = Callable[[Mapping[str, Any]], None]


class Bell(Protocol):
    """The sessions' groups."""

    def listen(self, log: str, hear: Hear) -> None: ...

    def unlisten(self, log: str, hear: Hear) -> None: ...


class Attendance:
    """One per event loop. `frame_of` makes of an event what viewers are told, once for all of them."""

    def __init__(
        self,
        leases: Leases,
        bell: Bell,
        frame_of: Callable[[Wire], Any],
        *,
        max_listed: int,
        clock: Clock | None = None,
    ) -> None:
        self._leases = leases
        self._bell = bell
        self._frame_of = frame_of
        self._max_listed = max_listed
        self._clock: Clock = clock or asyncio.get_running_loop()
        self._rooms: dict[str, Room] = {}
        self._users: Counter[str] = Counter()
        self._typing: Expiry[tuple[str, str]] = Expiry(self._clock, TYPING_S)
        self._active: Expiry[tuple[str, str]] = Expiry(self._clock, IDLE_S)
        self._lingering: Expiry[tuple[str, str]] = Expiry(self._clock, GRACE_S)
        self._tasks: set[asyncio.Task[None]] = set()
        self._leased = False
        self._draining = False

    # What sockets do --------------------------------------------------------------------------------------------

    def enter(self, log: str, socket: str, user: Wire, viewer: Viewer) -> None:
        """The socket watches the session from now on, or anew: it gets the whole list next."""
        room = self._rooms.get(log)
        if room is None:
            room = self._rooms[log] = Room(log, self._max_listed, self._clock, self._frame_of, self._say)
            self._bell.listen(log, self.hear)
            self._load(room)
        id = self._id(socket)
        mine = room.mine.get(id)
        if mine is not None:
            mine.viewer, mine.stale = viewer, True
            self._lingering.forget((log, id))
            room.telling.want()
            return
        self._release(room, user["id"])
        mine = room.mine[id] = Mine(user, viewer)
        self._users[user["id"]] += 1
        metrics.PEOPLE.set(len(self._users))
        self._active.touch((log, id))
        room.change(id, mine.connection)
        room.saying.want()

    def leave(self, log: str, socket: str, *, linger: bool) -> None:
        """The socket watches no longer. With `linger` it was cut: its person has GRACE_S to come back."""
        room, id = self._rooms.get(log), self._id(socket)
        mine = room.mine.get(id) if room is not None else None
        if room is None or mine is None:
            return
        mine.viewer = None
        self._typing.forget((log, id))
        self._active.forget((log, id))
        if self._draining:  # another process takes the sockets over; the lease keeps them until then
            return
        if linger:
            self._lingering.touch((log, id))
            room.change(id, replace(mine.connection, typing=False, cursor=None, moved=0))
        else:
            self._forget(room, id)

    def update(
        self,
        log: str,
        socket: str,
        *,
        status: str | None = None,
        typing: bool | None = None,
        cursor: Any = KEEP,
    ) -> bool:
        """What the person at the socket does now; None and KEEP leave as it was. False: the socket is not there."""
        room, id = self._rooms.get(log), self._id(socket)
        mine = room.mine.get(id) if room is not None else None
        if room is None or mine is None or mine.viewer is None:
            return False
        if status is not None:
            mine.said_idle = status == "idle"
        now = mine.connection
        then = replace(
            now,
            idle=mine.said_idle,
            typing=now.typing if typing is None else typing,
            cursor=now.cursor if cursor is KEEP else cursor,
            moved=now.moved if cursor is KEEP else time.time_ns() // 1_000_000,
        )
        key = (log, id)
        self._active.touch(key)
        if typing:
            self._typing.touch(key)
        elif typing is False:
            self._typing.forget(key)
        if then != now:
            room.change(id, then)
        return True

    def evict(self, log: str, user_id: str) -> None:
        """The user may not be there any more: gone at once, whichever process has their sockets."""
        room = self._rooms.get(log)
        for id in room.people.connections_of(user_id) if room is not None else ():
            assert room is not None
            self._forget(room, id)

    def _release(self, room: Room, user_id: str) -> None:
        """Somebody came back: their cut sockets here linger no longer."""
        for id in room.people.connections_of(user_id):
            if id in room.mine and room.mine[id].viewer is None:
                self._forget(room, id)

    def _forget(self, room: Room, id: str) -> None:
        mine = room.mine.get(id)
        if mine is not None:
            user_id = mine.connection.user_id
            self._users[user_id] -= 1
            if not self._users[user_id]:
                del self._users[user_id]
            metrics.PEOPLE.set(len(self._users))
            for expiry in (self._typing, self._active, self._lingering):
                expiry.forget((room.log, id))
        room.forget(id)

    def _id(self, socket: str) -> str:
        return f"{self._leases.process}.{socket}"

    # What other processes say -----------------------------------------------------------------------------------

    def hear(self, message: Mapping[str, Any]) -> None:
        """A message of a session's group."""
        room = self._rooms.get(message.get("log", ""))
        if message["type"] != "presence" or room is None:
            return
        note = Note.of(message)
        if room.loading is not None:
            room.early.append(note)
        else:
            self._take(room, note)

    def _take(self, room: Room, note: Note) -> None:
        if note.number <= room.number:
            return
        if note.number > room.number + 1:
            self._load(room)
            room.early.append(note)
            return
        room.number = note.number
        if note.process == self._leases.process:
            return
        for id, connection in note.puts.items():
            if id not in room.people:
                self._release(room, connection.user_id)
            room.put(id, connection)
        for id in note.dropped:
            if id in room.mine:  # we were taken for dead
                self._leased = False
                room.unsaid.add(id)
                room.saying.want()
            else:
                room.drop(id)

    # Redis ------------------------------------------------------------------------------------------------------

    def _say(self, room: Room) -> None:
        if self._draining:
            return
        if room.said is not None:
            room.saying.want()
            return
        room.said = self._run(self._say_now(room))

    async def _say_now(self, room: Room) -> None:
        puts = {id: room.mine[id].connection for id in room.unsaid if id in room.mine}
        dropped, room.dropped = room.dropped, set()
        room.unsaid.clear()
        try:
            if not self._leased:  # others would take us for dead
                await self._renew()
            if puts or dropped:
                await self._leases.say(room.log, puts, dropped)
                metrics.ANNOUNCED.inc()
        except UNREACHABLE as error:
            logger.info("Presence of %s is not announced (%s); the next look does it.", room.log, error)
            room.unsaid.update(puts)
            room.dropped |= dropped - room.mine.keys()
        finally:
            room.said = None
        if not room.mine and not room.dropped:
            self._close(room)

    def _close(self, room: Room) -> None:
        room.stop()
        if self._rooms.get(room.log) is room:
            del self._rooms[room.log]
            self._bell.unlisten(room.log, self.hear)

    def _load(self, room: Room) -> None:
        """Read everybody, unless that is under way; what is announced meanwhile is taken after it."""
        if room.loading is None:
            room.loading = self._run(self._load_now(room))

    async def _load_now(self, room: Room) -> None:
        try:
            reading = await self._leases.read(room.log)
            theirs = {id: each for id, each in reading.connections.items() if process_of(id) != self._leases.process}
            living = await self._leases.living({process_of(id) for id in theirs})
        except UNREACHABLE as error:
            logger.info("Presence of %s cannot be read (%s); the next look does it.", room.log, error)
            room.loaded = False
            return
        finally:
            room.loading = None
            early, room.early = room.early, []
        for id in room.people.ids - theirs.keys() - room.mine.keys():
            room.drop(id)
        for id, connection in theirs.items():
            room.put(id, connection)
        room.number, room.loaded = reading.number, True
        self._sweep(room, {process_of(id) for id in theirs} - living)
        ours = reading.connections.keys() - theirs.keys()
        room.unsaid |= room.mine.keys() - ours
        room.dropped |= ours - room.mine.keys()
        if room.unsaid or room.dropped:
            room.saying.want()
        room.telling.want()
        for note in early:
            self._take(room, note)

    def _sweep(self, room: Room, gone: set[str]) -> None:
        """Take out the connections of processes that are gone."""
        for id in room.people.ids if gone else ():
            if process_of(id) in gone:
                metrics.SWEPT.inc()
                room.forget(id)

    async def _renew(self) -> None:
        stood = await self._leases.renew(len(self._users))
        self._leased = True
        if not stood:  # others may have taken our people out
            for room in self._rooms.values():
                self._load(room)

    # Keeping ----------------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Runs for as long as the process: renews its lease, ends what is over, sweeps after the dead."""
        looked = self._clock.time()
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()
            if self._clock.time() - looked >= RENEW_S:
                looked = self._clock.time()
                try:
                    await self.look()
                except UNREACHABLE as error:
                    logger.warning("Presence cannot be looked after (%s); trying again.", error)

    def tick(self) -> None:
        """End what is over by now: typing, activity, the grace of cut sockets."""
        if self._draining:
            return
        for log, id in self._typing.take():
            room = self._rooms[log]
            room.change(id, replace(room.mine[id].connection, typing=False))
        for log, id in self._active.take():
            room = self._rooms[log]
            room.change(id, replace(room.mine[id].connection, idle=True))
        for log, id in self._lingering.take():
            self._forget(self._rooms[log], id)

    async def look(self) -> None:
        """Live on, and find out what was missed and who is gone. Raises one of UNREACHABLE."""
        if self._draining:
            return
        await self._renew()
        for room in self._rooms.values():
            if not room.loaded:
                self._load(room)
        await self._look_at_numbers()
        processes = {process_of(id) for room in self._rooms.values() for id in room.people.ids - room.mine.keys()}
        living = await self._leases.living(processes)
        for room in list(self._rooms.values()):
            self._sweep(room, processes - living)
            if room.unsaid or room.dropped:
                room.saying.want()

    async def _look_at_numbers(self) -> None:
        """A lost last change has no successor that would show the hole."""
        rooms = [room for room in self._rooms.values() if room.loaded]
        for start in range(0, len(rooms), LOOKED_AT_ONCE):
            some = rooms[start : start + LOOKED_AT_ONCE]
            numbers = await self._leases.numbers(room.log for room in some)
            for room, number in zip(some, numbers, strict=True):
                # What Redis had at the last look has long been announced.
                if number < room.number or room.number < room.seen:
                    self._load(room)
                room.seen = number

    # Ending -----------------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """The process stops and its sockets go elsewhere: nobody is announced as gone, the lease runs out by itself."""
        self._draining = True
        try:
            await self._leases.renew(0)
        except UNREACHABLE as error:
            logger.warning("The last lease of presence could not be written: %s.", error)

    async def close(self) -> None:
        for room in self._rooms.values():
            room.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
