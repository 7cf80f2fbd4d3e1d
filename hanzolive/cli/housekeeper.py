"""`hanzo-live housekeeper`: what sends mails and beats, in a place of its own (a container, another machine)."""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import Namespace

from hanzolive.cli import redis
from hanzolive.cli.beside import configuration_of, make_folder
from hanzolive.cli.configuration import without_password
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.programs import housekeeper_command


def run(args: Namespace) -> int:
    """Becomes the housekeeper. Raises OperatorError when there is no Redis."""
    configuration = configuration_of(args)
    if not configuration["REDIS_URL"]:
        raise OperatorError(
            "A housekeeper needs the Redis of its server. Name it with --redis, and the database with --database-url."
        )
    # Where beat keeps when it sent what recurs.
    make_folder(configuration)
    asyncio.run(redis.require(configuration["REDIS_URL"], configuration["START_TIMEOUT"]))
    print(f"Keeping house for {without_password(configuration['REDIS_URL'])}. Stop with Ctrl-C.", flush=True)
    os.execve(sys.executable, housekeeper_command(f"housekeeper-{os.getpid()}"), configuration.environment())
