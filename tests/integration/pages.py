"""Pages with a shared draft open, over real sockets: they edit at once, send what they made, and sync after a cut."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from typing import Any

from pycrdt import write_message

from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room
from tests.integration.stack import Person, Stack
from tests.presence.draft.editors import Typist, read_answer


class Page(Typist):
    """`socket` may be another one after a cut; what the page has stays."""

    def __init__(self, room: Room, socket: Live, watched: Watched, *, edits: bool = True) -> None:
        super().__init__()
        self.room, self.socket, self.watched, self.edits = room, socket, watched, edits
        self.generation: int | None = None
        self._heard = 0

    async def sync(self) -> None:
        """What each side lacks goes over; all of the open generation where that is another one."""
        reply = await self._ask("draft.sync", b"\0" + write_message(self.doc.get_state()))
        self.unsent.clear()
        if reply["generation"] != self.generation:
            self.generation = reply["generation"]
            self.begin()
        lacked, state = read_answer(base64.b64decode(reply["update"]))
        self.doc.apply_update(lacked)
        if self.edits:
            await self.update(self.doc.get_update(state))

    async def write(self, text: str) -> None:
        self.insert(len(str(self.text)), text)
        await self.flush()

    async def flush(self) -> None:
        """Send what was typed, one after the other. Raises Refused."""
        while self.unsent:
            await self.update(self.unsent[0])
            del self.unsent[0]

    async def update(self, update: bytes) -> None:
        """Raises Refused."""
        await self._ask("draft.update", update)

    async def send(self, **options: Any) -> dict[str, Any]:
        generation = self.generation
        return await self.socket.ask("draft.send", session=self.room.session, generation=generation, **options)

    def hear(self) -> None:
        """Apply what was told since."""
        for frame in self.watched.frames[self._heard :]:
            if frame["type"] == "draft" and frame["update"] and frame["generation"] == self.generation:
                self.doc.apply_update(base64.b64decode(frame["update"]))
        self._heard = len(self.watched.frames)

    async def shows(self, text: str) -> None:
        def heard() -> bool:
            self.hear()
            return str(self.text) == text

        await self.socket.until(heard, f"the draft {text!r}")

    async def _ask(self, type: str, update: bytes) -> dict[str, Any]:
        """Again where the server says to wait. Raises Refused for every other reason."""
        while True:
            try:
                return await self.socket.ask(type, **self._fields(update))
            except Refused as refused:
                if refused.code != "rate_limited":
                    raise
                await asyncio.sleep(refused.reply["retry_after"])

    def _fields(self, update: bytes) -> dict[str, Any]:
        encoded = base64.b64encode(update).decode()
        return {"session": self.room.session, "generation": self.generation, "update": encoded}


async def page(room: Room, socket: Live, *, edits: bool = True) -> Page:
    made = Page(room, socket, await socket.watch(room.log), edits=edits)
    await made.sync()
    return made


class Cabled:
    """An editor whose cable is cut and put in again, at whichever server."""

    def __init__(self, room: Room, person: Person, sockets: AsyncExitStack) -> None:
        self._room, self._person, self._sockets = room, person, sockets
        self._logs: dict[str, Watched] = {}
        self.page: Page | None = None
        self.online = False

    async def connect(self, server: Stack) -> Page:
        """Where it was, with all it has; a page that was cut resumes its log and syncs."""
        await self.cut()
        socket = await self._sockets.enter_async_context(live(server, self._person, logs=self._logs))
        if self.page is None:
            self.page = await page(self._room, socket)
        else:
            self.page.socket = socket
            await socket.watch(self._room.log, resume=True)
            await self.page.sync()
        self.online = True
        return self.page

    async def cut(self, *, sending: bool = False) -> None:
        """No goodbye. With `sending`, what was typed was on its way: nobody knows what of it has arrived."""
        if not self.online:
            return
        assert self.page is not None
        self.online = False
        if sending:
            for number, update in enumerate(self.page.unsent):
                command = {"id": f"cut {number}", "type": "draft.update", **self.page._fields(update)}
                await self.page.socket.raw(json.dumps(command))
        self.page.socket.connection.transport.abort()
        await self.page.socket.closed()
