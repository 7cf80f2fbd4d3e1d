"""The whole system that chaos is made in: a database, Redis, a node, two web servers, two workers, and wires between them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from hanzolive.folder import redis_url
from tests.chaos.plan import Fault
from tests.chaos.wire import Wire, wire_to
from tests.cli.processes import Serve, scripted_node_process, serving
from tests.integration.stack import CAST, REDIS, WEB, Node, Stack, eventually, signed_up
from tests.integration.stack import stack as start_stack
from tests.postgres import Postgres

# Of a starving process's time, in seconds: so long it stands still, then so long it runs.
STILL_S, RUNS_S = 0.08, 0.02


@dataclass(frozen=True)
class House:
    """`stack` is the first web server with the workers and Redis, `second` the other web server."""

    stack: Stack
    second: Serve
    postgres: Postgres
    node_pid: int
    node_wire: Wire

    @property
    def ports(self) -> tuple[int, int]:
        return _port(self.stack.url), _port(self.second.url)

    async def ready(self) -> None:
        """Returns once both web servers say that everything is there."""
        async with self.stack.rest_soon() as rest:

            async def both() -> bool:
                answers = [await rest.get(f"http://127.0.0.1:{port}/ready") for port in self.ports]
                return all(answer.status_code == 200 for answer in answers)

            async def in_time() -> bool:
                try:
                    return await both()
                except OSError:
                    return False
                except Exception as error:
                    if type(error).__module__.startswith("httpx"):
                        return False
                    raise

            await eventually(in_time, "both servers are ready", 90)

    async def suffer(self, fault: Fault, viewer_wires: list[Wire]) -> None:
        """Do it at its time; when this returns, all that can be undone is."""
        await asyncio.sleep(fault.after)
        match fault.victim:
            case "database":
                await asyncio.to_thread(self.postgres.stop)
                try:
                    await asyncio.sleep(fault.lasting)
                finally:
                    await asyncio.to_thread(self.postgres.start)
            case "node-wire":
                await _trouble([self.node_wire], fault)
            case "viewer-wires":
                await _trouble(viewer_wires, fault)
            case _:
                await _hurt(await self._pid(fault.victim), fault)

    async def _pid(self, victim: str) -> int:
        """The process that has this part now; waits for one where it has just died."""
        if victim == "node":
            return self.node_pid
        serve = self.second if victim == "web-2" else self.stack.serve
        words = {"redis": REDIS, "web-1": WEB, "web-2": WEB}.get(victim, f"{victim}@")

        async def found() -> int | None:
            return serve.child(words)

        pid = await eventually(found, f"a process of {victim}", 60)
        assert pid is not None
        return pid


async def _hurt(pid: int, fault: Fault) -> None:
    if fault.what == "kill":
        _signal(pid, signal.SIGKILL)
        return
    loop = asyncio.get_running_loop()
    until = loop.time() + fault.lasting
    try:
        while loop.time() < until:
            _signal(pid, signal.SIGSTOP)
            await asyncio.sleep(fault.lasting if fault.what == "pause" else STILL_S)
            _signal(pid, signal.SIGCONT)
            await asyncio.sleep(RUNS_S)
    finally:
        _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # another fault had it first
        os.kill(pid, number)


async def _trouble(wires: list[Wire], fault: Fault) -> None:
    for wire in wires:
        wire.cut() if fault.what == "cut" else wire.go_dead()
    if fault.what == "dead":
        await asyncio.sleep(fault.lasting)
    for wire in wires:
        wire.come_back()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


@asynccontextmanager
async def house(place: Path, tools: Path) -> AsyncIterator[House]:
    """Everything started, with its cast, and ended with the block. `tools` is a folder with `my_tools.py`."""
    async with AsyncExitStack() as wires:
        with ExitStack() as parts:
            postgres = parts.enter_context(Postgres())
            node_url, node_pid = parts.enter_context(scripted_node_process())
            node_wire = await wires.enter_async_context(wire_to(_port(node_url), Random(0)))

            def start() -> tuple[Stack, Serve]:
                options = {"DATABASE_URL": postgres.url, "TOOL_MODULES": "my_tools", "PYTHONPATH": str(tools)}
                (place / "first").mkdir()
                (place / "second").mkdir()
                first = parts.enter_context(
                    start_stack(place / "first", node_wire.url, "--workers", "2", people=(), **options)
                )
                for name in CAST:
                    first.people[name] = signed_up(first, name)
                second = parts.enter_context(
                    serving(
                        place / "second" / "data", place / "second" / "output",
                        "--node-url", node_wire.url, "--workers", "0", REDIS_URL=redis_url(first.serve.data), **options,
                    )
                )  # fmt: skip
                return first, second

            # In a thread: the node is reached over a wire that this loop carries.
            first, second = await asyncio.to_thread(start)
            yield House(replace(first, node=Node(node_url)), second, postgres, node_pid, node_wire)
            await asyncio.to_thread(parts.close)
