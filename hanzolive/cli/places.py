"""What `serve` takes hold of before anything starts: the data folder, and the port. Both are refused in one sentence."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from pathlib import Path
from typing import IO, Any

from hanzolive import counting
from hanzolive.cli.errors import OperatorError
from streaming.servers.sockets import listen as bind

LOCK = "serve.lock"


class DataFolder:
    """The data folder, held by one `serve` at a time. What it serves is written in the lock, for the other commands."""

    def __init__(self, path: Path) -> None:
        """Make the folder and take it. Raises OperatorError when it cannot be written or is taken."""
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in ("logs", "static"):
                (path / part).mkdir(exist_ok=True)
            self._lock: IO[str] = os.fdopen(os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
        except OSError as error:
            raise OperatorError(
                f"The data folder {path} cannot be written ({error.strerror}). Give a folder of yours with --data-dir."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            url = (serving(path) or {}).get("url")
            raise OperatorError(
                f"The data folder {path} is served already{f' at {url}' if url else ''}. "
                "Stop that one, or give this one a folder of its own with --data-dir."
            ) from None
        counting.begin_anew(path)

    def tell(self, **facts: Any) -> None:
        """Write down what is served, for `serving`."""
        self._lock.seek(0)
        self._lock.truncate()
        json.dump(facts, self._lock)
        self._lock.flush()

    def release(self) -> None:
        self.tell()
        self._lock.close()


def serving(path: Path) -> dict[str, Any] | None:
    """What a running `serve` told of this data folder; None when none runs, {} when it is still starting."""
    try:
        with (path / LOCK).open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                facts = json.loads(lock.read() or "{}")
                return facts if isinstance(facts, dict) else {}
            return None
    except OSError:
        return None


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. It stays ours while the web server restarts, so nobody who connects meanwhile is refused.

    Raises OperatorError when the port is in use or the address is not this machine's.
    """
    try:
        return bind(host, port)
    except socket.gaierror as error:
        raise OperatorError(
            f"{host} is not an address ({error.strerror}). Give one of this machine's with --host."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise OperatorError(
                f"Port {port} on {host} is in use. Stop what listens there, or choose another with --port (0 takes any free one)."
            ) from error
        if error.errno == errno.EACCES:
            raise OperatorError(
                f"Port {port} needs rights that you do not have. Choose one from 1024 up with --port."
            ) from error
        raise OperatorError(
            f"Nothing can listen on {host} port {port} ({error.strerror}). Choose another with --host and --port."
        ) from error


def free_port() -> int:
    """A port on loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
