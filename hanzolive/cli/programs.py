"""The web server, the workers and the housekeeper as programs for the supervisor. (Redis: `redis`, the model: `node`.)

The times that the five kinds of children have to stop, one kind after the other, come to less than 10 seconds.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping

import httpx

from hanzolive.cli.child import Program
from hanzolive.queues import MAILS, STREAMS

# Streams that one worker process carries at a time: each waits in a thread, one event loop does the work.
SLOTS = 250
# Mails that are handed to the mail server at a time.
MAIL_SLOTS = 4
CELERY = [sys.executable, "-m", "celery", "-A", "hanzolive.celery:app"]
LISTENER_FD = "HANZO_LIVE_LISTENER_FD"
POLL_SECONDS = 0.05


def worker_command(name: str, slots: int = SLOTS) -> list[str]:
    """The command of a worker that carries streams."""
    return _celery_worker(name, STREAMS, slots)


def housekeeper_command(name: str) -> list[str]:
    """The command of the worker that sends mails and beats."""
    return _celery_worker(name, MAILS, MAIL_SLOTS)


def worker(number: int, environment: Mapping[str, str]) -> Program:
    return Program(f"worker {number}", worker_command(f"worker-{number}"), environment, stop_within=2.5)


def housekeeper(environment: Mapping[str, str]) -> Program:
    """Sends mails, and beats: tells the workers when it is time for what recurs (docs/decisions/the-housekeeper.md)."""
    return Program("housekeeper", housekeeper_command("housekeeper"), environment, stop_within=2.0)


def _celery_worker(name: str, queue: str, slots: int) -> list[str]:
    return [
        *CELERY,
        *("worker", "--queues", queue, "--pool", "threads", "--concurrency", str(slots), "--prefetch-multiplier", "1"),
        *("--hostname", f"{name}@%h", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"),
    ]


def web(listener: socket.socket, url: str, environment: Mapping[str, str]) -> Program:
    """The web server on a socket that listens already."""
    number = listener.fileno()
    return Program(
        name="web",
        command=[sys.executable, "-m", "hanzolive.cli.web"],
        environment={**environment, LISTENER_FD: str(number)},
        ready=lambda: _answers(url),
        stop_within=3.5,
        pass_fds=(number,),
    )


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{url}/health")).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(POLL_SECONDS)
