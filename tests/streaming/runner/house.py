"""What the runner's tests stand on: a scripted node, workers in this process and in their own, and waiting for conditions."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connection

from hanzo_live.protocol import StreamOptions, fold
from hanzo_live.protocol.events import EVENTS
from hanzolive.nodes.journal import Entry as Asked
from hanzolive.nodes.serve import bind, make_server
from streaming.hub.frames import wire_of
from streaming.log import LogWriter
from streaming.models import Stream
from streaming.runner.fleet import FleetNode
from streaming.runner.worker import Draining, WorkerProcess
from streaming.services import Started, start_stream

T = TypeVar("T")

PATIENCE_S = 15.0
# A worker loads all of Django; where many tests share a machine that takes its time.
STARTING_S = 45.0
PR_SET_PDEATHSIG = 1
QUICK_ECHO = "script-echo"


def until(condition: Callable[[], T], within: float = PATIENCE_S) -> T:
    """The first true value of `condition`. Raises TimeoutError."""
    deadline = time.monotonic() + within
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within} s")
        time.sleep(0.01)


class Node:
    """The scripted node in a thread of this process."""

    def __init__(self, api_key: str = "", port: int = 0) -> None:
        listener = bind("127.0.0.1", port)
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = make_server(api_key)
        self.journal = self._server.config.app.journal
        self._thread = threading.Thread(target=lambda: self._server.run(sockets=[listener]), daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    @property
    def asked(self) -> list[Asked]:
        return list(self.journal.entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)


@dataclass
class Crew:
    """Workers of a test: `here` in this process, `celery` in processes of their own. All end with the test."""

    node: Node
    here_: list[WorkerProcess] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(20))

    def here(self) -> WorkerProcess:
        """A worker in this process; it gets its streams from `carry`, not from the broker."""
        worker = WorkerProcess()
        worker.start(slots=20)
        self.here_.append(worker)
        return worker

    def carry(self, worker: WorkerProcess, stream: UUID) -> Future[bool]:
        """True when the worker has done with it, False when it was handed over."""

        def work() -> bool:
            try:
                worker.carry(str(stream))
            except Draining:
                return False
            return True

        return self.threads.submit(work)

    def celery(self, count: int = 1, **environment: str) -> None:
        """Start real worker processes that take tasks from the broker."""
        for _ in range(count):
            self.processes.append(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "celery", "-A", "hanzolive.celery:app", "worker", "--pool", "threads"),
                        *("--concurrency", "20", "--prefetch-multiplier", "1", "--without-gossip", "--without-mingle"),
                        *("--hostname", f"test-{len(self.processes)}-{os.getpid()}@%h", "--loglevel", "WARNING"),
                    ],
                    env={**os.environ, "DATABASE_URL": database_url(), "NODE_URL": self.node.url, **environment},
                    preexec_fn=_die_with_parent,
                )
            )
        until(lambda: all(self._is_up(process) for process in self.processes), STARTING_S)

    def carrier_of(self, stream: UUID) -> subprocess.Popen[bytes]:
        """The worker process that carries the stream now."""
        lease = until(lambda: row(stream).lease)
        return next(process for process in self.processes if f":{process.pid}:" in lease)

    def _is_up(self, process: subprocess.Popen[bytes]) -> bool:
        return any(f":{process.pid}:" in id for id in _worker_ids())

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(5)
        for worker in self.here_:
            worker.stop()
        self.threads.shutdown()


def database_url() -> str:
    """The test's database, for another process."""
    database = connection.settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    if database["HOST"].startswith("/"):  # a socket's folder; the user's name is in the environment
        return "postgres:///{HOST}/{NAME}".format_map(database)
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(database)


def ask(
    user: Any, prompt: str = "tell me", *, model: str = QUICK_ECHO, session: str | None = None, **rest: Any
) -> Started:
    """Start a stream; `rest` are further options, or `key`."""
    key = rest.pop("key", None)
    return start_stream(user, StreamOptions(model=model, **rest), session_ref=session, content=prompt, key=key)


def row(stream: UUID) -> Stream:
    return Stream.objects.get(pk=stream)


def ended(stream: UUID, within: float = PATIENCE_S) -> Stream:
    """The row, once the stream is over."""
    until(lambda: row(stream).is_over, within)
    return row(stream)


def events(log: str, redis_url: str | None = None) -> list[dict[str, Any]]:
    """Everything on a log, as the wire has it; each is checked against the contract."""

    async def read() -> list[dict[str, Any]]:
        writer = LogWriter(redis_url or settings.REDIS_URL)
        try:
            return [wire_of(log, event) for event in await writer.read(log)]
        finally:
            await writer.close()

    told = asyncio.run(read())
    for event in told:
        EVENTS[event["type"]].model_validate(event)
    return told


def folded(log: str, stream: UUID, redis_url: str | None = None) -> Any:
    """What the log says of a stream, by the protocol's reference."""
    return fold(events(log, redis_url)).streams[str(stream)]


def terminal(log: str, stream: UUID) -> list[dict[str, Any]]:
    return [e for e in events(log) if e["type"] in ("complete", "error") and e["stream"] == str(stream)]


def fleet(worker: WorkerProcess) -> list[FleetNode]:
    """What a worker of this process knows of the nodes; of several, once it has looked at each."""
    until(worker._means.done)
    nodes = worker._means.result().router.nodes
    until(lambda: len(nodes) == 1 or all(node.asked or not node.healthy for node in nodes))
    return nodes


def _worker_ids() -> list[str]:
    from streaming.models import Worker

    return list(Worker.objects.values_list("pk", flat=True))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
