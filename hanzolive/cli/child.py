"""One supervised process: started tethered to us, awaited until it is ready, restarted when it dies, stopped in time.

Which processes there are is `programs`; in what order they start and stop is `supervisor`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hanzolive.cli.errors import OperatorError
from hanzolive.cli.readiness import READY_FD

TETHER = Path(__file__).with_name("tether.py")
FIRST_BACK_OFF = 1.0
LONGEST_BACK_OFF = 30.0
STEADY_AFTER = 60.0

Say = Callable[[str], None]


def tethered(command: Sequence[str], death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command that runs `command` as a child which gets `death_signal` when this process is gone."""
    return [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), str(int(death_signal)), *command]


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `ready` returns when it answers; without it the program says so itself (`readiness`)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[None]] | None = None
    ready_within: float = 60.0
    stop_within: float = 1.0
    death_signal: signal.Signals = signal.SIGKILL
    pass_fds: tuple[int, ...] = ()


class Child:
    """The life of one program. `log` is the file its output goes to, None for our standard error."""

    def __init__(self, program: Program, log: Path | None, say: Say) -> None:
        self.program = program
        self.log = log
        self._say = say
        self._process: Process | None = None
        self.keeper: asyncio.Task[None] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, wait until it is ready, and keep it running from then on.

        Raises OperatorError when it does not come up the first time: nothing will change by trying again.
        """
        failure = await self._launch()
        if failure:
            raise OperatorError(f"{self._title} {failure}")
        self.keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End it: politely, then by force after its time. Returns when it is gone."""
        if self.keeper:
            self.keeper.cancel()
            await asyncio.wait([self.keeper])
        process = self._process
        if process is None or not self.running:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.program.stop_within)
        except TimeoutError:
            self._say(f"{self._title} did not stop within {self.program.stop_within:g} s and was killed.")
            self.kill()
            await process.wait()

    def kill(self) -> None:
        """SIGKILL to all of its process group, now."""
        self._signal(signal.SIGKILL)

    @property
    def _title(self) -> str:
        return self.program.name[0].upper() + self.program.name[1:]

    async def _keep(self) -> None:
        """Restart it for as long as nobody stops it: at once the first time, then with growing pauses."""
        loop = asyncio.get_running_loop()
        back_off = 0.0
        failure: str | None = None
        while True:
            if failure is None:
                assert self._process is not None
                up_since = loop.time()
                code = await self._process.wait()
                failure = self._death(code)
                if loop.time() - up_since > STEADY_AFTER:
                    back_off = 0.0
            self._say(f"{self._title} {failure} Restarting {f'in {back_off:g} s' if back_off else 'now'}.")
            await asyncio.sleep(back_off)
            back_off = min(max(FIRST_BACK_OFF, back_off * 2), LONGEST_BACK_OFF)
            failure = await self._launch()
            if failure is None:
                self._say(f"{self._title} runs again (process {self.pid}).")

    async def _launch(self) -> str | None:
        """Start it and wait until it is ready. Returns what went wrong, as the rest of a sentence, or None."""
        reader, writer = os.pipe()
        try:
            self._process = await self._spawn(writer)
        except OSError as error:
            os.close(reader)
            return f"cannot be started: {error}."
        finally:
            os.close(writer)
        ready = asyncio.create_task(_said_ready(reader) if self.program.ready is None else _awaited(self.program.ready))
        died = asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({ready, died}, timeout=self.program.ready_within, return_when=asyncio.FIRST_COMPLETED)
            if died.done():
                return self._death(died.result())
            if not ready.done():
                self._signal(signal.SIGKILL)
                await died
                return f"was not ready within {self.program.ready_within:g} s and was killed.{self._last_words()}"
            ready.result()
            return None
        finally:
            ready.cancel()
            died.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ready
            os.close(reader)

    async def _spawn(self, ready_fd: int) -> Process:
        with contextlib.ExitStack() as files:
            output = None
            if self.log:
                output = files.enter_context(self.log.open("ab"))
                self._log_start = output.tell()
            return await asyncio.create_subprocess_exec(
                *tethered(self.program.command, self.program.death_signal),
                stdin=DEVNULL,
                stdout=output if output else sys.stderr.fileno(),
                stderr=output if output else sys.stderr.fileno(),
                env={**self.program.environment, READY_FD: str(ready_fd)},
                pass_fds=(ready_fd, *self.program.pass_fds),
                process_group=0,  # the terminal's Ctrl-C is ours to hand on, in order
            )

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _death(self, code: int) -> str:
        how = f"was ended by {signal.Signals(-code).name}." if code < 0 else f"ended with exit code {code}."
        return how + ("" if code < 0 else self._last_words())

    def _last_words(self) -> str:
        """The last line it wrote since its start, and where to read more."""
        if self.log is None:
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self._log_start if self._log_start <= size else 0, size - 4000))
            lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return (f" Its last words: {lines[-1][:300]}" if lines else "") + f" (See {self.log}.)"


async def _awaited(ready: Callable[[], Awaitable[None]]) -> None:
    await ready()


async def _said_ready(reader: int) -> None:
    """Return when the child has written to the pipe; never on its mere end, which is told by the process."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(reader, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(reader)
    if not os.read(reader, 64):
        await asyncio.Event().wait()
