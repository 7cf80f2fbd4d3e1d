"""Real servers, each in a process of its own, on a port of its own."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.client import RawClient

ROOT = Path(__file__).parents[2]
WAYS = ("daphne-fast", "uvicorn-fast", "daphne-plain", "uvicorn-plain")


class Running:
    """A server process and how to reach it."""

    def __init__(self, way: str, *, pass_fds: tuple[int, ...] = (), **options: Any) -> None:
        server, self.way = way.split("-")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.serve", server, self.way, json.dumps(options)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            pass_fds=pass_fds,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{server} did not start"
        self.bound = line.strip()
        port = int(line.split()[-1])
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, **how: Any) -> RawClient:
        return RawClient(self.address, **how)

    def get(self, path: str, *, data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers or {}), timeout=20) as reply:
            return json.loads(reply.read())

    def left(self, path: str) -> Any:
        """What the application saw once the peer that had asked for `path` was gone; waits for it."""
        return self.get(f"/left?{path}")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(20)

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    """Every server and every way to write, by turns."""
    with Running(request.param) as running:
        yield running
