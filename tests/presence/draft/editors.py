"""Editors as browsers are, over Drafts on the real Valkey: each with a document, a cable that loses, and a server process."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio
from pycrdt import Decoder, Doc, Text, write_message

from hanzo_live.protocol.errors import LiveError
from presence.draft import Drafts, DraftStore

LOG = "session:00000000-0000-4000-8000-000000000001"


class House:
    """Server processes on one Valkey. What they tell is in `told`, in order; `posted` is the database."""

    def __init__(self, redis_url: str) -> None:
        self.redis = redis.asyncio.Redis.from_url(redis_url)
        self.store = DraftStore(self.redis)
        self.told: list[dict[str, Any]] = []
        self.something_told = asyncio.Event()
        self.posted: dict[str, str] = {}

    def process(self) -> Drafts:
        return Drafts(DraftStore(self.redis), self._publish, self._floor)

    async def post(self, text: str | None, key: str) -> str:
        if key not in self.posted:
            assert text is not None
            self.posted[key] = text
        return self.posted[key]

    async def entries(self, generation: int = 1) -> int:
        return int(await self.redis.llen(f"live:{{{LOG}}}:draft:{generation}"))

    async def _publish(self, log: str, type: str, body: dict[str, Any]) -> None:
        assert (log, type) == (LOG, "draft")
        self.told.append(body)
        self.something_told.set()

    async def _floor(self, log: str) -> int:
        return 1 + max((int(key.partition(":")[2]) for key in self.posted), default=0)


class Typist:
    """A document under somebody's hands. What they typed is in it at once, and in `unsent` until somebody sends it."""

    def __init__(self) -> None:
        self.unsent: list[bytes] = []
        self.begin()

    def begin(self) -> None:
        """Anew, with nothing in it."""
        # As in a page: each document has a client id of its own.
        self.doc: Doc[Text] = Doc(client_id=next(_clients))
        self.text = self.doc.get("text", type=Text)
        self._watching = self.doc.observe(lambda event: self.unsent.append(event.update) if self._own else None)
        self._own = False

    def insert(self, at: int, text: str) -> None:
        self._do(lambda: self.text.insert(_bytes(self.text, at), text))

    def delete(self, start: int, count: int) -> None:
        first, last = _bytes(self.text, start), _bytes(self.text, start + count)
        if last > first:
            self._do(lambda: self.text.__delitem__(slice(first, last)))

    def _do(self, edit: Callable[[], Any]) -> None:
        self._own = True
        edit()
        self._own = False


class Editor(Typist):
    """What a page does: edits at once, sends what it made, applies what it hears, syncs after a cut."""

    def __init__(self, house: House, drafts: Drafts, client: int) -> None:
        super().__init__()
        self.house, self.drafts = house, drafts
        self.user = {"id": f"user-{client}", "name": "Ada", "avatar": None}
        self.generation = 1
        self.client = client
        self.heard = 0

    async def send(self, update: bytes) -> None:
        await self.drafts.update(LOG, self.user, self.generation, update, lambda: None)

    async def flush(self) -> None:
        for update in self.unsent:
            await self.send(update)
        self.unsent.clear()

    def hear(self, lost: Callable[[int], bool] = lambda number: False) -> None:
        """Apply what was told since, but for what is lost."""
        for number, body in enumerate(self.house.told[self.heard :], self.heard):
            if body["generation"] == self.generation and body["update"] and not lost(number):
                self.doc.apply_update(base64.b64decode(body["update"]))
        self.heard = len(self.house.told)

    async def sync(self) -> None:
        step_1 = b"\0" + write_message(self.doc.get_state())
        synced = await self.drafts.sync(LOG, self.generation, step_1)
        self.unsent.clear()
        if synced.generation != self.generation:
            self.generation = synced.generation
            self.begin()
        lacked, state = read_answer(synced.message)
        self.doc.apply_update(lacked)
        await self.send(self.doc.get_update(state))


_clients = itertools.count(1)


def read_answer(message: bytes) -> tuple[bytes, bytes]:
    """The update of step 2 and the state vector of step 1 behind it."""
    decoder = Decoder(message)
    assert decoder.read_var_uint() == 1
    update = decoder.read_message()
    assert decoder.read_var_uint() == 0
    state = decoder.read_message()
    assert update is not None
    assert state is not None
    return update, state


async def refusal(asked: Awaitable[Any]) -> LiveError:
    try:
        await asked
    except LiveError as error:
        return error
    raise AssertionError("it was not refused")


def _bytes(text: Text, at: int) -> int:
    """The library counts bytes."""
    return len(str(text)[:at].encode())
