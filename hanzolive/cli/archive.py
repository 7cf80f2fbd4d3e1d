"""What a backup is: a gzipped tar of `manifest.json`, `database`, `drafts.json` and `media/`.

The database is SQLite's own copy of itself, or what `pg_dump --format=custom` writes. The logs in Redis are not in it: they
are made of the database again. Nor is the secret key.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import redis

from hanzolive.cli.child import tethered
from hanzolive.cli.configuration import Configuration
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.redis import private_redis

FORMAT = 1
MANIFEST, DATABASE, DRAFTS, MEDIA = "manifest.json", "database", "drafts.json", "media"
DRAFT_KEYS = "live:{*}:draft*"
ALL_KEYS = "live:{*}:*"


@dataclass(frozen=True, slots=True)
class Manifest:
    """`migrations` are the newest of each app: a version that does not know them cannot read the database."""

    format: int
    version: str
    created: str
    vendor: str
    migrations: dict[str, str]

    def text(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises OperatorError for what is no manifest of a backup that this version knows."""
        try:
            made = cls(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise OperatorError("This file is no backup of Hanzo Live: its manifest cannot be read.") from error
        if made.format != FORMAT:
            raise OperatorError(
                f"This backup was written by version {made.version}, in a form that this one cannot read."
            )
        return made


def dump_database(to: Path) -> None:
    """A copy of the database as of one moment, while others write to it. Raises OperatorError."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as here, closing(sqlite3.connect(to)) as copy:
            here.backup(copy)
        return
    _postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")


def load_database(source: Path) -> None:
    """Put the copy in the place of the whole database. Raises OperatorError; then the database is as it was."""
    from django.db import connection

    connection.close()
    if connection.vendor == "sqlite":
        with (
            closing(sqlite3.connect(source)) as copy,
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as here,
        ):
            copy.backup(here)
        return
    _postgres(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
        "--exit-on-error", source=source,
    )  # fmt: skip


def _postgres(program: str, *arguments: str, source: Path | None = None) -> None:
    from django.db import connection

    if shutil.which(program) is None:
        raise OperatorError(f"{program} is not installed. On Debian: apt-get install postgresql-client")
    database = connection.settings_dict
    where = {
        "dbname": database["NAME"],
        "host": database["HOST"],
        "port": database["PORT"],
        "username": database["USER"],
    }
    flags = [f"--{name}={value}" for name, value in where.items() if value]
    if "host" in (options := dict(database.get("OPTIONS") or {})):
        flags = [flag for flag in flags if not flag.startswith("--host=")] + [f"--host={options['host']}"]
    with tempfile.NamedTemporaryFile("w", prefix="hanzo-live-pgpass.") as passwords:  # mode 0600, not on a command line
        passwords.write(f"*:*:*:*:{_escaped(database['PASSWORD'] or '')}\n")
        passwords.flush()
        told = subprocess.run(
            [program, *flags, *arguments, *([str(source)] if source else [])],
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "PGPASSFILE": passwords.name},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if told.returncode:
        raise OperatorError(f"{program} failed: {' '.join(told.stderr.split())[:500]}")


def _escaped(password: str) -> str:
    return password.replace("\\", "\\\\").replace(":", "\\:")


@contextmanager
def redis_of(configuration: Configuration, *, served: bool) -> Iterator[redis.Redis]:
    """The operator's Redis, or the private one: a running server's where it is `served`, else started for the block."""
    process = None
    if not configuration["REDIS_URL"] and not served:
        program = private_redis(configuration.folder, {"PATH": "/usr/bin:/bin"})
        process = subprocess.Popen(tethered(program.command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert program.ready is not None
        asyncio.run(asyncio.wait_for(program.ready(), 60))
    client = redis.Redis.from_url(configuration.redis_url, socket_connect_timeout=5, socket_timeout=60)
    try:
        yield client
    except (redis.RedisError, OSError) as error:
        raise OperatorError(f"Redis cannot be used ({error}). Start it, or name another with --redis.") from error
    finally:
        client.close()
        if process is not None:
            process.terminate()
            process.wait(30)


def dump_drafts(client: redis.Redis) -> str:
    """What is being written together, and not sent yet."""
    kept: dict[str, dict[str, Any]] = {}
    for key in client.scan_iter(DRAFT_KEYS, count=1000):
        value: Any = client.dump(key)
        if value is not None:
            ttl: Any = client.pttl(key)
            kept[key.decode()] = {"value": base64.b64encode(value).decode(), "ttl": max(0, int(ttl))}
    return json.dumps(kept)


def load_drafts(client: redis.Redis, text: str) -> int:
    """Put them back; logs are forgotten, for they tell of another state. How many drafts there are."""
    for key in client.scan_iter(ALL_KEYS, count=1000):
        client.delete(key)
    drafts = json.loads(text)
    for key, draft in drafts.items():
        client.restore(key, draft["ttl"], base64.b64decode(draft["value"]), replace=True)
    return len(drafts)
