"""The supervisor with small programs: order, restarts, back-off, patience."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hanzolive.cli.child import Program
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.supervisor import Supervisor
from tests.cli.processes import until

READY = "from hanzolive.cli.readiness import say_ready; say_ready()\n"
LIVE = READY + "import signal\nwhile True: signal.pause()\n"


def program(name: str, code: str, **options: object) -> Program:
    return Program(name, [sys.executable, "-c", code], dict(os.environ), **options)  # type: ignore[arg-type]


def stubborn(seconds: float) -> Program:
    return program("mule", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVE, stop_within=seconds)


class Watched:
    """A supervisor in a task, what it said, and a way to wait for it."""

    def __init__(self, logs: Path) -> None:
        self.said: list[str] = []
        self._news = asyncio.Event()
        self.supervisor = Supervisor(logs, self._say)

    def _say(self, text: str) -> None:
        self.said.append(text)
        self._news.set()

    async def heard(self, words: str, times: int = 1) -> None:
        async with asyncio.timeout(20):
            while sum(words in line for line in self.said) < times:
                self._news.clear()
                await self._news.wait()

    async def up(self, bring_up: Callable[[Supervisor], Awaitable[None]]) -> asyncio.Task[None]:
        """Returns once `bring_up` is through."""
        is_up = asyncio.Event()

        async def bring(supervisor: Supervisor) -> None:
            await bring_up(supervisor)
            is_up.set()

        running = asyncio.create_task(self.supervisor.run(bring))
        waiting = asyncio.create_task(is_up.wait())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return running


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


async def test_it_restarts_at_once_then_with_growing_pauses(watched: Watched) -> None:
    running = await watched.up(lambda supervisor: supervisor.start([program("clock", LIVE)]))
    child = watched.supervisor.children[0]
    for round, pause in enumerate(("now", "in 1 s", "in 2 s"), start=1):
        before = child.pid
        assert before
        os.kill(before, signal.SIGKILL)
        await watched.heard(f"Clock was ended by SIGKILL. Restarting {pause}.")
        await watched.heard("Clock runs again", round)
        assert child.pid != before
    send(signal.SIGTERM)
    await running


async def test_it_stops_stages_in_the_opposite_order(watched: Watched, tmp_path: Path) -> None:
    order = tmp_path / "order"

    def noting(name: str) -> Program:
        note = f"open({str(order)!r}, 'a').write('{name} ')"
        code = f"import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: ({note}, sys.exit(0)))\n" + LIVE
        return program(name, code)

    running = await watched.up(
        lambda supervisor: supervisor.start([noting("redis")], [noting("worker")], [noting("web")])
    )
    send(signal.SIGTERM)
    await running
    assert order.read_text().split() == ["web", "worker", "redis"]
    assert watched.said[-1] == "Stopped."


async def test_it_kills_what_does_not_stop_in_time(watched: Watched) -> None:
    running = await watched.up(lambda supervisor: supervisor.start([stubborn(0.2)]))
    send(signal.SIGINT)
    await running
    assert "Mule did not stop within 0.2 s and was killed." in watched.said


async def test_a_second_ctrl_c_kills_at_once_but_an_echo_of_the_first_does_not(watched: Watched) -> None:
    running = await watched.up(lambda supervisor: supervisor.start([stubborn(60)]))
    send(signal.SIGINT)
    await watched.heard("Stopping.")
    send(signal.SIGINT)
    async with asyncio.timeout(20):
        while not running.done():
            await asyncio.wait({running}, timeout=0.1)
            send(signal.SIGINT)
    assert watched.said.count("Killing everything.") >= 1
    assert not watched.supervisor.children[0].running


async def test_a_program_that_does_not_come_up_ends_the_start_with_its_last_words(watched: Watched) -> None:
    broken = program("web", "import sys; sys.exit('the port is gone')")
    running = await watched.up(lambda supervisor: supervisor.start([program("redis", LIVE)], [broken]))
    with pytest.raises(OperatorError, match="Web ended with exit code 1. Its last words: the port is gone"):
        await running
    assert not any(child.running for child in watched.supervisor.children)


async def test_a_program_that_never_says_ready_ends_the_start(watched: Watched) -> None:
    silent = program("web", "import signal; signal.pause()", ready_within=0.3)
    with pytest.raises(OperatorError, match="Web was not ready within 0.3 s"):
        await (await watched.up(lambda supervisor: supervisor.start([silent])))


async def test_a_signal_during_the_start_ends_it(watched: Watched) -> None:
    async def bring_up(supervisor: Supervisor) -> None:
        await supervisor.start([program("redis", LIVE)])
        send(signal.SIGTERM)
        await supervisor.start([program("web", "import signal; signal.pause()")])

    await (await watched.up(bring_up))
    assert not any(child.running for child in watched.supervisor.children)


async def test_logs_stay_small(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanzolive.cli.supervisor.LARGEST_LOG", 1000)
    monkeypatch.setattr("hanzolive.cli.supervisor.LOG_CHECK_SECONDS", 0.05)
    running = await watched.up(lambda supervisor: supervisor.start([program("web", f"print('x' * 5000)\n{LIVE}")]))
    log = watched.supervisor.children[0].log
    assert log
    older = log.with_suffix(".log.1")
    await asyncio.to_thread(until, lambda: older.exists() and log.stat().st_size == 0, "the log was put aside")
    send(signal.SIGTERM)
    await running
    assert older.stat().st_size == 5001
