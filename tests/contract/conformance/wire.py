"""The wire between one client and the real server: it cuts, loses, repeats and delays as its scenario says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from tests.contract.conformance import units
from tests.contract.conformance.scenario import Cut
from tests.contract.conformance.units import Unit

AWAY = {"away", "gone", "trim", "forget"}
CONNECTION_OVER = (asyncio.IncompleteReadError, ConnectionError, OSError)


class Server(Protocol):
    """What a wire knows of the server behind it."""

    port: int

    async def over(self, stream: str) -> None:
        """Returns once the stream has ended."""

    async def lose(self, log: str, *, whole: bool) -> None:
        """Redis has the log's events no more, or the `whole` log."""


class Broken(Exception):
    """The connection is to end here."""


class Wire:
    """One listener, for one client in one scenario. `port` is where it is."""

    def __init__(self, server: Server, rules: Sequence[Cut]) -> None:
        self._server = server
        self._rules = list(rules)
        self._seen: Counter[str] = Counter()
        self._stream = ""
        self._log = ""
        self._refuses = False
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.sent: set[str] = set()
        self.modes: set[str] = set()

    @property
    def idle(self) -> list[str]:
        """What it was to do, and never came to."""
        return [f"{rule.do} at {rule.at} {rule.nth}" for rule in self._rules]

    async def open(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=1 << 24)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            writer.transport.abort()
            return
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._connect(reader, writer)
        except CONNECTION_OVER:
            pass
        finally:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await units.head(reader)
        is_socket = units.value(request, "upgrade").lower() == "websocket"
        source, target = await asyncio.open_connection("127.0.0.1", self._server.port, limit=1 << 24)
        try:
            target.write(units.uncompressed(request))
            if is_socket:
                writer.write(await units.head(source))
            up = self._pass_commands(reader, target) if is_socket else _pass_bytes(reader, target)
            await _first((up, self._pass_units(source, writer, is_socket)))
        finally:
            target.transport.abort()

    async def _pass_commands(self, reader: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(*CONNECTION_OVER):
            async for unit in units.frames(reader):
                if unit.kind:
                    self.sent.add(unit.kind)
                target.write(unit.raw)
                await target.drain()

    async def _pass_units(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter, is_socket: bool) -> None:
        with suppress(Broken, *CONNECTION_OVER):
            async for unit in units.frames(source) if is_socket else units.responses(source):
                await self._pass(unit, writer)

    async def _pass(self, unit: Unit, writer: asyncio.StreamWriter) -> None:
        self._note(unit)
        rule = self._due(unit)
        if rule is None:
            await _send(writer, unit.raw)
        else:
            await self._do(rule, unit, writer)

    def _note(self, unit: Unit) -> None:
        self._seen[unit.kind] += 1
        self._stream = self._stream or str(unit.frame.get("stream") or "")
        self._log = str(unit.frame.get("log") or self._log)
        if mode := unit.frame.get("mode"):
            self.modes.add(str(mode))

    def _due(self, unit: Unit) -> Cut | None:
        for rule in self._rules:
            if rule.at == unit.kind and rule.nth <= self._seen[unit.kind]:
                self._rules.remove(rule)
                return rule
        return None

    async def _do(self, rule: Cut, unit: Unit, writer: asyncio.StreamWriter) -> None:
        raw = unit.raw
        match rule.do:
            case "drop":
                return
            case "twice":
                raw += raw
            case "delay":
                await asyncio.sleep(rule.ms / 1000)
            case "hold":
                await self._server.over(self._stream)
            case "say":
                raw = units.frame_of(json.dumps(rule.frame).encode()) + raw
            case "close":
                raw = units.frame_of(rule.code.to_bytes(2), units.CLOSE)
            case "cut before":
                raw = b""
            case "cut inside":
                raw = raw[: len(raw) // 2]
        await _send(writer, raw)
        if rule.do in AWAY:
            self._refuses = True
        if rule.do in AWAY - {"gone"}:
            task = asyncio.create_task(self._return(rule.do))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if rule.do.startswith("cut") or rule.do in AWAY | {"close"}:
            raise Broken

    async def _return(self, do: str) -> None:
        await self._server.over(self._stream)
        if do in {"trim", "forget"}:
            await self._server.lose(self._log, whole=do == "forget")
        self._refuses = False


async def _send(writer: asyncio.StreamWriter, raw: bytes) -> None:
    writer.write(raw)
    await writer.drain()


async def _pass_bytes(reader: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(*CONNECTION_OVER):
        while data := await reader.read(65_536):
            await _send(target, data)


async def _first(works: Sequence[Any]) -> None:
    """Until one of them is done; the others end with it."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        # What is neither the scenario's doing nor the end of a connection is a defect of the wire itself.
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error


class Loop:
    """Where wires run: a thread, for drivers are waited for in the test's own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()

    def run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def wires(make: Callable[[], list[Wire]]) -> Iterator[list[Wire]]:
    """The wires that `make` makes, open."""
    loop = Loop()
    made = make()
    with contextlib.ExitStack() as closing:
        closing.callback(loop.stop)
        for wire in made:
            loop.run(wire.open())
            closing.callback(lambda each=wire: loop.run(each.close()))
        yield made
