"""Brings children up in order, watches over them, and takes them down in the opposite order when asked to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from hanzolive.cli.child import Child, Program, Say

LARGEST_LOG = 10_000_000
LOG_CHECK_SECONDS = 60.0
# A launcher that hands on a signal which the terminal has also sent must not count as a second, impatient one.
IMPATIENT_AFTER = 0.5


async def together(*parts: Awaitable[Any]) -> list[Any]:
    """All results. The first failure ends the others and is raised as it is, not in a group."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


class Supervisor:
    """Children in stages: the first started is the last stopped, and those of one stage go together."""

    def __init__(self, logs: Path | None, say: Say) -> None:
        self.say = say
        self._logs = logs
        self._stages: list[list[Child]] = []
        self._asked_at: float | None = None
        self._asked = asyncio.Event()

    @property
    def children(self) -> list[Child]:
        return [child for stage in self._stages for child in stage]

    async def start(self, *stages: Sequence[Program]) -> None:
        """Start all of these together; return when all are ready. They are stopped one stage after the other, last first.

        Raises OperatorError if one does not come up.
        """
        added = [[Child(program, self._log_of(program), self.say) for program in stage] for stage in stages]
        self._stages.extend(added)
        await together(*(child.start() for stage in added for child in stage))

    async def run(self, bring_up: Callable[[Supervisor], Awaitable[None]]) -> None:
        """Bring everything up, keep it until a signal asks for the end, and leave nothing behind, whatever happens.

        Raises what `bring_up` raises.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask, number)
        coming_up = asyncio.ensure_future(bring_up(self))
        asked = asyncio.create_task(self._asked.wait())
        rotating = asyncio.create_task(self._rotate_logs())
        try:
            await asyncio.wait({coming_up, asked}, return_when=asyncio.FIRST_COMPLETED)
            if coming_up.done():
                coming_up.result()
                keepers = {child.keeper for child in self.children if child.keeper}
                await asyncio.wait({asked, *keepers}, return_when=asyncio.FIRST_COMPLETED)
                for keeper in keepers:  # they end by a defect of ours only, which must be heard
                    if keeper.done():
                        keeper.result()
        finally:
            for task in (coming_up, asked, rotating):
                task.cancel()
            await asyncio.wait({coming_up})
            await self._stop()

    async def _stop(self) -> None:
        running = [child for child in self.children if child.running]
        if running and self._asked.is_set():
            self.say("Stopping. Press Ctrl-C again to kill everything at once.")
        for stage in reversed(self._stages):
            await asyncio.gather(*(child.stop() for child in stage))
        if self._asked.is_set():
            self.say("Stopped.")

    def _ask(self, number: signal.Signals) -> None:
        now = asyncio.get_running_loop().time()
        if self._asked_at is None:
            self._asked_at = now
            self._asked.set()
        elif number == signal.SIGINT and now - self._asked_at > IMPATIENT_AFTER:
            self.say("Killing everything.")
            for child in self.children:
                child.kill()

    def _log_of(self, program: Program) -> Path | None:
        return self._logs / f"{program.name.replace(' ', '-')}.log" if self._logs else None

    async def _rotate_logs(self) -> None:
        """Keep each log and the one before it, so that no log outgrows the disk. The files are open for appending."""
        while True:
            for child in self.children:
                if child.log and child.log.exists() and child.log.stat().st_size > LARGEST_LOG:
                    child.log.with_suffix(".log.1").write_bytes(child.log.read_bytes())
                    child.log.write_bytes(b"")
            await asyncio.sleep(LOG_CHECK_SECONDS)
