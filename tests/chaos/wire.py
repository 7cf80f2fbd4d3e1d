"""A wire to one of several ports that splits what passes, holds it back, carries nothing for a while, and is cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random


class Wire:
    """Bytes to `port` and back. The `how` of a connection is drawn when it is made."""

    def __init__(self, port: int, chance: Random) -> None:
        self.port = 0
        self.split, self.delay, self.cut_after = 65_536, 0.0, 10_000_000
        self._to, self._chance = port, chance
        self._carries = asyncio.Event()
        self._carries.set()
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection, without goodbye."""
        for end in list(self._open):
            end.transport.abort()

    def go_dead(self) -> None:
        """What is open and what comes stays open, and nothing passes."""
        self._carries.clear()

    def come_back(self) -> None:
        self._carries.set()

    def be_kind(self) -> None:
        """From now on only a wire."""
        self.split, self.delay, self.cut_after = 65_536, 0.0, 10_000_000
        self.come_back()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, inner_writer}
        left = self._chance.randint(self.cut_after // 2, self.cut_after)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, inner_writer, left))
                both.create_task(self._pass_on(inner_reader, writer, left))
        except* (OSError, EOFError):
            pass
        finally:
            for end in (writer, inner_writer):
                self._open.discard(end)
                end.transport.abort()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, left: int) -> None:
        """Raises EOFError at the end, so that the other way ends as well."""
        while data := await source.read(65_536):
            await self._carries.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            for start in range(0, len(data), self.split):
                left -= min(self.split, len(data) - start)
                if left < 0 or target.is_closing():
                    raise EOFError
                target.write(data[start : start + self.split])
                if self.split < 1000:
                    await asyncio.sleep(0)
            await target.drain()
        raise EOFError


@asynccontextmanager
async def wire_to(port: int, chance: Random) -> AsyncIterator[Wire]:
    """A wire on a port of its own, until the end of the block."""
    made = Wire(port, chance)
    carried: set[asyncio.Task[None]] = set()

    def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(made.carry(reader, writer))
        carried.add(task)
        task.add_done_callback(carried.discard)

    server = await asyncio.start_server(came, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.come_back()
        made.cut()
        for task in list(carried):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*carried, return_exceptions=True)
