"""`hanzo-live worker`: one more Celery worker in the foreground, for the same Redis and database as `serve`'s own."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace

from hanzolive import counting
from hanzolive.cli import redis
from hanzolive.cli.beside import configuration_of
from hanzolive.cli.configuration import without_password
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.places import serving
from hanzolive.cli.programs import worker_command


def run(args: Namespace) -> int:
    """Becomes the worker. Raises OperatorError when there is no Redis, or no node is named off the folder of a `serve`."""
    configuration = configuration_of(args)
    if not configuration["REDIS_URL"]:
        raise OperatorError(
            "A worker needs the Redis of its server. Start `hanzo-live serve` on the same data folder, or name both with --redis and --database-url."
        )
    asyncio.run(redis.require(configuration["REDIS_URL"], configuration["START_TIMEOUT"]))
    print(
        f"Carrying streams for {without_password(configuration['REDIS_URL'])}, model at {configuration.node_names}. Stop with Ctrl-C.",
        flush=True,
    )
    environment = configuration.environment()
    if serving(configuration.folder) is not None:
        environment |= counting.shared(configuration.folder)
    os.execve(sys.executable, worker_command(f"worker-{os.getpid()}"), environment)
