"""The verbs of the shared draft: sync, update, send. One per event loop, any number of processes on the same drafts.

The document in memory is a copy of what Redis has, brought up to date before each use; it may be dropped at any time.
Rights are the caller's matter. What was posted is known from the database alone: `floor` tells the first generation
of a session that was not.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft import syncing
from presence.draft.document import Document
from presence.draft.reading import Contents, read_update
from presence.draft.store import UNREACHABLE, DraftStore, Place

logger = logging.getLogger(__name__)

# A list longer than this is merged into one entry.
COMPACT_ABOVE = 200
# Documents that a process keeps in memory.
MAX_OPEN = 256
# After so much quiet the last thing told of a draft is told again: a socket that could not take it just then, or a
# process that had lost Redis, has no later one that would show the hole.
AGAIN_S = (1.5, 15.0)
# Somebody else was quicker each time: at most this often, then the client tries again.
ATTEMPTS = 50

T = TypeVar("T")
Publish: TypeAlias = Callable[[str, str, dict[str, Any]], Coroutine[Any, Any, None]]
"""Tells everybody in a log an ephemeral event: log, type, fields."""
Floor: TypeAlias = Callable[[str], Awaitable[int]]
Post: TypeAlias = Callable[[str | None, str], Awaitable[T]]
"""Posts the text with the key; without text, finds what was posted with the key or raises LiveError."""


@dataclass(frozen=True, slots=True)
class Synced:
    """`message` holds Yjs sync messages: what the client lacks, and what the draft has after its update `number`."""

    generation: int
    number: int
    message: bytes


class _Open:
    """A draft in this process's memory."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.place = Place()
        self.document = Document()

    def forget(self) -> None:
        self.place = Place()
        self.document = Document()


class Drafts:
    def __init__(self, store: DraftStore, publish: Publish, floor: Floor) -> None:
        self._store = store
        self._publish = publish
        self._floor = floor
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._again: dict[str, list[asyncio.TimerHandle]] = {}

    async def sync(self, log: str, generation: int | None, message: bytes) -> Synced:
        """What the client lacks; all of the open generation where it has another one or none.

        Raises LiveError `bad_request`, and `internal` where Redis cannot be reached.
        """
        state = syncing.asked_state(message)
        return await self._unbroken(self._sync(log, generation, state))

    async def update(
        self, log: str, user: dict[str, Any], generation: int, update: bytes, accepted: Callable[[], None]
    ) -> None:
        """Take the update over, call `accepted`, tell the others what it added.

        Raises LiveError: `bad_request`, `too_large`; `conflict` where the generation is not the open one, or edits
        before it are missing here.
        """
        await self._unbroken(self._update(log, user, generation, update, read_update(update), accepted))

    async def send(self, log: str, generation: int, post: Post[T]) -> T:
        """Have the text posted, open the next generation, tell everybody. What `post` gave.

        Of two who send one generation the second gets what the first posted. Raises LiveError `bad_request` for an
        empty draft, `conflict` for a generation that is to come, and what `post` raises: then nothing changed.
        """
        return await self._unbroken(self._send(log, generation, post))

    async def _sync(self, log: str, generation: int | None, state: bytes) -> Synced:
        draft = self._opened(log)
        async with draft.lock:
            # The floor is asked again: a process may have died between posting a draft and opening the next.
            await self._refresh(log, draft, await self._floor(log))
            document = draft.document
            lacks = document.since(state) if generation == draft.place.generation else document.whole()
            return Synced(draft.place.generation, draft.place.updates, syncing.answer(lacks, document.state))

    async def _update(
        self, log: str, user: dict[str, Any], generation: int, update: bytes, contents: Contents,
        accepted: Callable[[], None],
    ) -> None:  # fmt: skip
        draft = self._opened(log)
        async with draft.lock:
            try:
                added = await self._add(log, draft, generation, update, contents)
                number = draft.place.updates
            finally:
                if draft.document.spoiled:
                    draft.forget()
        accepted()
        if added is not None:
            encoded = base64.b64encode(added).decode()
            body = {"generation": generation, "update": encoded, "n": number, "user": user}
            await self._tell(log, body)

    async def _add(self, log: str, draft: _Open, generation: int, update: bytes, contents: Contents) -> bytes | None:
        """What was added to the list; None where nothing was new."""
        document, added = None, None
        for _ in range(ATTEMPTS):
            await self._refresh(log, draft)
            _require_open(draft.place.generation, generation)
            if draft.document is not document:
                document = draft.document
                added = document.apply(update, contents)
            else:
                document.check_bounds()
            if added is None:
                return None
            document.spoiled = True  # until it is kept there is more in it than in Redis
            appended = await self._reaching(self._store.append(log, draft.place, added))
            if appended is not None:
                document.spoiled = False
                draft.place, length = appended
                if length > COMPACT_ABOVE:
                    await self._compact(log, draft)
                return added
        raise LiveError(
            ErrorCode.BUSY, "Too many edits came at once. Send this one again.", retry_after=0.2, field="update"
        )

    async def _send(self, log: str, generation: int, post: Post[T]) -> T:
        draft = self._opened(log)
        # Held until the next is open: edits of this process that come meanwhile belong to neither, and are refused.
        async with draft.lock:
            await self._refresh(log, draft)
            if generation > draft.place.generation:
                _require_open(draft.place.generation, generation)
            text = draft.document.text if generation == draft.place.generation else None
            if text is not None and not text.strip():
                raise LiveError(ErrorCode.BAD_REQUEST, "The draft is empty. Write something first.")
            posted = await post(text, key_of(generation))
            if await self._reaching(self._store.advance(log, generation)):
                draft.forget()
                await self._begun(log, generation + 1)
        return posted

    async def _refresh(self, log: str, draft: _Open, floor: int | None = None) -> None:
        """Bring the document to what Redis has."""
        if floor is None and draft.place.generation == 0:
            floor = await self._floor(log)
        read = await self._reaching(self._store.read(log, draft.place, floor or 0))
        had = draft.place
        if floor is None and (
            read.place.generation < had.generation
            or (read.whole and had.updates and read.place.generation == had.generation)
        ):
            # Merged meanwhile, or Redis has lost something: maybe that the draft was posted.
            await self._refresh(log, draft, await self._floor(log))
            return
        if read.whole and (had.updates or draft.document.spoiled):
            draft.document = Document()
        for update in read.updates:
            draft.document.load(update)
        draft.place = read.place
        if read.begun:
            await self._begun(log, read.place.generation)

    async def _compact(self, log: str, draft: _Open) -> None:
        await self._reaching(self._store.compact(log, draft.place, draft.document.whole()))

    async def _begun(self, log: str, generation: int) -> None:
        await self._tell(log, {"generation": generation, "update": None, "n": 0, "user": None})

    async def _tell(self, log: str, body: dict[str, Any]) -> None:
        """Tell it now, and again once nothing followed: what comes twice adds nothing.

        Where it cannot be told now it is kept all the same, and whoever made it has been told so.
        """
        self._quiet(log)
        loop = asyncio.get_running_loop()
        self._again[log] = [loop.call_later(delay, self._tell_again, log, body) for delay in AGAIN_S]
        telling = self._keep(self._publish(log, "draft", body))
        telling.add_done_callback(_not_told)
        await asyncio.wait({telling})

    def _tell_again(self, log: str, body: dict[str, Any]) -> None:
        waiting = self._again[log]
        waiting.pop(0)
        if not waiting:
            del self._again[log]
        self._keep(self._publish(log, "draft", body)).add_done_callback(_not_told)

    def _quiet(self, log: str) -> None:
        for timer in self._again.pop(log, ()):
            timer.cancel()

    def _opened(self, log: str) -> _Open:
        draft = self._open.setdefault(log, _Open())
        self._open.move_to_end(log)
        if len(self._open) > MAX_OPEN:
            idle = next((name for name, each in self._open.items() if each is not draft and not each.lock.locked()), "")
            self._open.pop(idle, None)
        return draft

    async def _reaching(self, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except UNREACHABLE as error:
            logger.warning("The shared draft cannot be reached in Redis: %s", error)
            raise LiveError(
                ErrorCode.INTERNAL, "The shared draft cannot be reached just now. Your edits are kept here; try again.",
                retry_after=1,
            ) from error  # fmt: skip

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        """To its end, even where the socket that asked for it is gone: what is kept must be told as well."""
        return await asyncio.shield(self._keep(work))

    def _keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _not_told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.info("A change of a draft is not told just now (%s); a sync brings it.", error)


def key_of(generation: int) -> str:
    """The key of the message that posts it."""
    return f"draft:{generation}"


def _require_open(current: int, generation: int) -> None:
    if generation != current:
        raise LiveError(
            ErrorCode.CONFLICT,
            f"That draft is over; generation {current} is open now. Send `draft.sync` to get it.",
            field="generation",
        )
