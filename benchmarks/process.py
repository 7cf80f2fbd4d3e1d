"""Child processes of a benchmark: started under guard.py, waited for until they answer, ended by id. No figures here."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks import measure

GUARD = Path(__file__).with_name("guard.py")
ROOT = Path(__file__).parent.parent


class TargetUnavailable(Exception):
    """This target cannot run here; the message says why and what would mend it. Its row is left out, the rest goes on."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def raise_file_limit() -> int:
    """Raises the limit of open files to the hard one; children inherit it. Returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass
class Child:
    """A command under its guard, with what it printed kept in a file."""

    name: str
    guard: subprocess.Popen[bytes]
    output: Path

    @property
    def pids(self) -> list[int]:
        """The command and everything below it, without the guard."""
        return measure.descendants(self.guard.pid)

    @property
    def alive(self) -> bool:
        return self.guard.poll() is None

    def tail(self, lines: int = 15) -> str:
        """The end of what it printed, for an error message."""
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ends it and everything it started; returns when nothing is left."""
        if self.alive:
            self.guard.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.guard.wait(15)
            return
        leftover = self.pids
        self.guard.kill()
        for pid in leftover:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.guard.wait(5)


@dataclass
class Workshop:
    """What one target's run needs: a scratch folder and the children in it, all gone when the run ends."""

    folder: Path
    children: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
    ) -> Child:
        """Starts a command; its output goes to a file in the folder unless `stdout` is given."""
        output = self.folder / f"{name}.out"
        with output.open("wb") as log:
            guard = subprocess.Popen(
                [sys.executable, "-S", "-E", GUARD, "--", *command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
            )
        child = Child(name, guard, output)
        self.children.append(child)
        return child

    def wait(self, child: Child, ready: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Waits until `ready()`; raises TargetUnavailable with the child's last words when it dies or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not child.alive:
                raise TargetUnavailable(f"{child.name} ended before {what}. Its last words:\n{child.tail()}")
            if time.monotonic() > deadline:
                raise TargetUnavailable(
                    f"{child.name}: {what} did not happen in {seconds:.0f} s. Its last words:\n{child.tail()}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the children, youngest first."""
        for child in reversed(self.children):
            child.stop()
        self.children.clear()


@contextlib.contextmanager
def workshop() -> Iterator[Workshop]:
    """A scratch folder with children in it; both are gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="hanzo-live-bench-") as folder:
        place = Workshop(Path(folder))
        try:
            yield place
        finally:
            place.stop()


def port_answers(port: int) -> bool:
    """Whether something accepts connections on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def http_answers(port: int, path: str) -> bool:
    """Whether GET `path` gives 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
