"""`hanzo-live serve`: takes the folder and the port, finds or starts Redis and a model, migrates, starts ours, says so.

The supervising process stays light: it imports no Django; whatever needs the database runs in a child.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
import webbrowser
from argparse import Namespace
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from hanzolive import counting
from hanzolive.cli import node, page, programs, redis
from hanzolive.cli.child import Program, tethered
from hanzolive.cli.configuration import Configuration, configure
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.places import DataFolder, free_port, listen
from hanzolive.cli.supervisor import Supervisor, together

# What other commands on the same data folder take from a running `serve`, unless they are told otherwise.
SHARED = ("HOST", "PORT", "NODE_URL", "NODES", "REDIS_URL", "DATABASE_URL")


def run(args: Namespace) -> int:
    """Serve until a signal asks for the end. Raises OperatorError, OptionError."""
    configuration = configure(args)
    data = DataFolder(configuration.folder)
    try:
        with listen(configuration["HOST"], configuration["PORT"]) as listener:
            logs = data.path / "logs" if configuration["LOG_TO"] == "files" else None
            start = Start(configuration, data, listener, logs, open_page=args.open)
            asyncio.run(Supervisor(logs, say).run(start.bring_up))
    finally:
        data.release()
    return 0


class Start:
    """One start of everything; what is found out on the way becomes part of the configuration."""

    def __init__(
        self,
        configuration: Configuration,
        data: DataFolder,
        listener: socket.socket,
        logs: Path | None,
        *,
        open_page: bool,
    ) -> None:
        self.configuration = configuration.having(PORT=listener.getsockname()[1])
        self.data = data
        self.listener = listener
        self.logs = logs
        self.open_page = open_page
        self.url = page.address(self.configuration["HOST"], self.configuration["PORT"])
        self.is_demo = False

    async def bring_up(self, supervisor: Supervisor) -> None:
        """Start all in the order in which they need one another, then print the page."""
        names = self._admit_own_names()
        setup_token, _, model = await together(
            prepare(self.configuration, self.logs), self._redis(supervisor), self._node()
        )
        environment = {**self.configuration.environment(), **counting.shared(self.data.path)}
        await supervisor.start(
            [model] if model else [],
            [programs.worker(number, environment) for number in range(1, self.configuration["WORKERS"] + 1)],
            [programs.housekeeper(environment)] if self.configuration["HOUSEKEEPER"] else [],
            [programs.web(self.listener, self.url, environment)],
        )
        self.data.tell(url=self.url, **{name: self.configuration[name] for name in SHARED})
        print(
            page.start_page(
                url=self.url,
                model=await node.model_name(self.configuration),
                node_url="" if self.is_demo else self.configuration.node_names,
                data=self.data.path,
                logs=self.logs,
                setup_token=setup_token,
                names=names,
            ),
            flush=True,
        )
        if self.open_page:
            await asyncio.to_thread(webbrowser.open, self.url)

    def _admit_own_names(self) -> list[str]:
        """Where it listens on every address, answer to this machine's names unless others were named. Returns them."""
        if self.configuration["ALLOWED_HOSTS"] or not page.listens_everywhere(self.configuration["HOST"]):
            return []
        names = page.own_names()
        self.configuration = self.configuration.having(ALLOWED_HOSTS=names)
        return names

    async def _redis(self, supervisor: Supervisor) -> None:
        if self.configuration["REDIS_URL"]:
            await redis.require(self.configuration["REDIS_URL"], self.configuration["START_TIMEOUT"])
            return
        program = redis.private_redis(self.data.path, self.configuration.environment())
        await supervisor.start([program])
        self.configuration = self.configuration.having(REDIS_URL=self.configuration.redis_url)

    async def _node(self) -> Program | None:
        """Settle which node is asked; the demo model's program where it is that."""
        if self.configuration["NODE_URL"] or self.configuration["NODES"]:
            await node.require(self.configuration)
            return None
        if await node.found_on_default_port():
            self.configuration = self.configuration.having(NODE_URL=self.configuration.node_url)
            return None
        port = free_port()
        self.is_demo = True
        self.configuration = self.configuration.having(NODE_URL=f"http://127.0.0.1:{port}")
        return node.demo_model(port, self.configuration.environment())


async def prepare(configuration: Configuration, logs: Path | None) -> str | None:
    """Migrate the database in a child. Returns the one-time admin token, None once there are users.

    Raises OperatorError when the database cannot be reached or brought up to date.
    """
    with contextlib.ExitStack() as files:
        errors = files.enter_context((logs / "prepare.log").open("ab")) if logs else sys.stderr.fileno()
        child = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, "-m", "hanzolive.cli.prepare"]),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
            env=configuration.environment(),
            process_group=0,
        )
        try:
            output, _ = await child.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
            raise
    if child.returncode != 0:
        where = f"See {logs / 'prepare.log'}." if logs else "The reason is above."
        raise OperatorError(f"The database {configuration.database_name} could not be brought up to date. {where}")
    told = json.loads(output)
    if "error" in told:
        raise OperatorError(
            f"The database {configuration.database_name} cannot be used: {told['error'].rstrip('.')}. "
            "Start it, or name another with --database-url (left out: SQLite in the data folder)."
        )
    token: str | None = told["setup_token"]
    return token


def say(text: str) -> None:
    """One line for one event. A terminal that is gone must not stop what is served."""
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
