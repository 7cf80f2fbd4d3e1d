"""Real `hanzo-live` processes for tests: started in a session of their own, so that all they leave can be found."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hanzolive.cli.child import tethered
from hanzolive.options import BY_NAME

T = TypeVar("T")

# Six processes start on a busy machine.
START_SECONDS = 90
COMMAND = [sys.executable, "-m", "hanzo_live.cli"]


def until(condition: Callable[[], T], what: str, seconds: float = 20) -> T:
    """The first true value of `condition`. Fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"Not within {seconds} s: {what}"
        time.sleep(0.05)
    return value


def clean_environment(**values: str) -> dict[str, str]:
    """The environment without the options that the tests themselves run with."""
    inherited = {name: value for name, value in os.environ.items() if name not in BY_NAME}
    inherited.pop("DJANGO_SETTINGS_MODULE", None)
    return {**inherited, **values}


def hanzo_live(*arguments: str, where: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=where,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def session_members(session: int) -> dict[int, str]:
    """The living processes of a session, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, _, of_session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
                words = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(of_session) == session and state != "Z":
                found[int(entry.name)] = words
    return found


@dataclass(frozen=True)
class Serve:
    """A running `hanzo-live serve`."""

    process: subprocess.Popen[bytes]
    output: Path
    data: Path

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def url(self) -> str:
        match = re.search(r"^  Open +(\S+)$", self.text, re.MULTILINE)
        assert match, self.text
        return match[1]

    def processes(self) -> dict[int, str]:
        return session_members(self.process.pid)

    def child(self, words: str) -> int | None:
        """The process whose command line holds `words`."""
        return next((pid for pid, line in self.processes().items() if words in line), None)

    def wait_for(self, words: str, seconds: float = 20) -> None:
        until(lambda: words in self.text, f"{words!r} in:\n{self.text}", seconds)

    def end(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Send the signal; returns how many seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - began


@contextmanager
def serving(data: Path, output: Path, *flags: str, **environment: str) -> Iterator[Serve]:
    """`hanzo-live serve` on a free port, with its page printed."""
    with output.open("wb") as out:
        process = subprocess.Popen(
            tethered([*COMMAND, "serve", "--port", "0", "--data-dir", str(data), *flags], signal.SIGTERM),
            cwd=output.parent,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    serve = Serve(process, output, data)
    try:
        until(lambda: "  Stop " in serve.text or process.poll() is not None, "the page", START_SECONDS)
        assert process.poll() is None, serve.text
        yield serve
    finally:
        if process.poll() is None:
            serve.end()
        for pid in serve.processes():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def scripted_node() -> Iterator[str]:
    """The URL of a scripted node."""
    with scripted_node_process() as (url, _):
        yield url


@contextmanager
def scripted_node_process() -> Iterator[tuple[str, int]]:
    """The URL of a scripted node, and its process id."""
    with subprocess.Popen(
        tethered([*COMMAND, "node", "--port", "0"]), stdout=subprocess.PIPE, env=clean_environment(), text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[1], process.pid
        finally:
            process.terminate()
