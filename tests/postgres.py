"""A real PostgreSQL of one's own, that can be stopped and started again. Its data end with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

NAME = "hanzo"
# Nothing has to reach a disk, but what was committed has to outlive the process.
OPTIONS = "-c listen_addresses= -c fsync=off -c full_page_writes=off -c max_connections=100"


class Postgres:
    """A server on a Unix socket in a folder of its own; `url` is what DATABASE_URL takes.

    It refuses to run as root: then it runs as `postgres`. Raises CalledProcessError where it does not start.
    """

    def __init__(self) -> None:
        self._bin = _programs()
        self._place = Path(tempfile.mkdtemp(prefix="hanzo-live-pg."))
        self._as: list[str] = []
        if os.getuid() == 0:
            shutil.chown(self._place, "postgres")
            self._as = ["runuser", "-u", "postgres", "--"]
        self.url = f"postgres://{NAME}@/{NAME}?host={self._place}"

    def __enter__(self) -> Self:
        self._run("initdb", "--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        self.start()
        self._run("createdb", "--host", str(self._place), "--username", NAME, NAME, data=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._place)

    def start(self) -> None:
        """Returns once it takes connections."""
        options = f"{OPTIONS} -c unix_socket_directories={self._place}"
        self._run("pg_ctl", "--options", options, "--log", str(self._place / "server.log"), "--wait", "start")

    def stop(self) -> None:
        """Cuts all connections; returns once it is gone."""
        self._run("pg_ctl", "--mode", "immediate", "--wait", "stop")

    def _run(self, program: str, *arguments: str, data: bool = True) -> None:
        where = ["--pgdata", str(self._place / "data")] if data else []
        subprocess.run(
            [*self._as, str(self._bin / program), *where, *arguments],
            cwd=self._place,
            stdout=subprocess.DEVNULL,
            check=True,
        )


def _programs() -> Path:
    """Where Debian puts its newest PostgreSQL, else where the path has one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if found:
        return found[-1]
    initdb = shutil.which("initdb")
    assert initdb is not None, "There is no PostgreSQL here. On Debian: apt-get install postgresql"
    return Path(initdb).parent
