"""The whole program as a user starts it, for tests: a scripted node, `hanzo-live serve` with its own Redis, workers and
web server, and people with API tokens.

Everything is reached over real sockets; beside that, tests may look into the database and the log as an operator can.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
import redis

from hanzolive.folder import redis_socket, redis_url
from hanzolive.nodes.scripted import expected_text
from streaming.hub.frames import wire_of
from streaming.log import LogWriter
from tests.cli.processes import Serve, hanzo_live, serving, until

T = TypeVar("T")

# For conditions that have to come true, on a machine that does other things as well.
PATIENCE_S = 30.0

PASSWORD = "correct horse battery staple"

# The first is made by `hanzo-live user create`, the others sign up by the page.
CAST = ("Olga", "Tariq", "Vera", "Otto")


async def eventually(condition: Callable[[], Awaitable[T | None]], what: str, seconds: float = PATIENCE_S) -> T:
    """The first true value of `condition`. Fails the test when there is none in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (value := await condition()):
        assert loop.time() < deadline, f"Not within {seconds} s: {what}"
        await asyncio.sleep(0.02)
    return value


@dataclass(frozen=True)
class Person:
    """An account with an API token."""

    name: str
    email: str
    token: str
    id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Node:
    """The scripted node, and what it saw."""

    url: str

    def requests(self, prompt: str) -> list[dict[str, Any]]:
        """What it was asked with `prompt` in the last user's message, oldest first."""
        log = httpx.get(f"{self.url}/script/log", timeout=20).json()
        return [each for each in log["requests"] if prompt in str(each["messages"][-1:]) or prompt in _last_user(each)]

    async def ended(self, prompt: str, number: int = -1) -> dict[str, Any]:
        """The request with `prompt`, once it is over."""

        async def over() -> dict[str, Any] | None:
            found = await asyncio.to_thread(self.requests, prompt)
            return found[number] if found and found[number]["state"] != "running" else None

        return await eventually(over, f"the node's answer to {prompt!r} is over")

    def said(self, prompt: str) -> str:
        """The whole text of the answer to `prompt`, by the node's own record of what it was asked."""
        asked = self.requests(prompt)[0]
        return expected_text(asked["requested_model"], asked["messages"])


def _last_user(request: dict[str, Any]) -> str:
    said = [str(message.get("content")) for message in request["messages"] if message.get("role") == "user"]
    return said[-1] if said else ""


@dataclass(frozen=True)
class Stack:
    """A running server with its people."""

    serve: Serve
    node: Node
    people: dict[str, Person] = field(default_factory=dict)

    @cached_property
    def url(self) -> str:
        return self.serve.url

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/v1/live"

    def rest(self, person: Person | None = None, **headers: str) -> httpx.Client:
        """A REST client that speaks for `person`."""
        return httpx.Client(
            base_url=self.url, headers={**(person.headers if person else {}), **headers}, timeout=60, trust_env=False
        )

    def browser(self) -> httpx.Client:
        """A browser that nobody is signed in with: it keeps cookies and says where it comes from."""
        return httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=60, trust_env=False)

    def sign_in(self, person: Person) -> httpx.Client:
        """A browser in which `person`, who signed up by the page, is signed in."""
        browser = self.browser()
        browser.get("/accounts/login/")
        form = {"login": person.email, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        signed_in = browser.post("/accounts/login/", data=form)
        assert signed_in.status_code == 302, signed_in.text
        return browser

    def rest_soon(self, person: Person | None = None, **headers: str) -> httpx.AsyncClient:
        """As `rest`, for asyncio."""
        return httpx.AsyncClient(
            base_url=self.url, headers={**(person.headers if person else {}), **headers}, timeout=60, trust_env=False
        )

    # What an operator can do -----------------------------------------------------------------------------------

    def kill(self, words: str) -> int:
        """SIGKILL the child whose command line holds `words`; returns its process id."""
        pid = until(lambda: self.serve.child(words), f"a process of {words}")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def redis(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(redis_socket(self.serve.data)), decode_responses=True)

    def rows(self, query: str, *values: str) -> list[dict[str, Any]]:
        """Rows of the server's database."""
        connection = sqlite3.connect(self.serve.data / "db.sqlite3", timeout=20)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def messages_in_database(self, session: str) -> list[dict[str, Any]]:
        """The transcript's rows: n, role, content, parts, status, finish_reason."""
        rows = self.rows(
            "SELECT n, role, content, parts, status, finish_reason FROM live_sessions_message"
            " WHERE session_id = ? ORDER BY n",
            session.replace("-", ""),
        )
        return [{**row, "parts": json.loads(row["parts"])} for row in rows]

    async def log(self, name: str) -> list[dict[str, Any]]:
        """Every event of a log, as the wire has it."""
        writer = LogWriter(redis_url(self.serve.data))
        try:
            return [wire_of(name, event) for event in await writer.read(name)]
        finally:
            await writer.close()

    def metric(self, name: str) -> float:
        """A figure without labels of `/metrics`."""
        text = httpx.get(f"{self.url}/metrics", timeout=20, trust_env=False).text
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))

    def open_files(self, words: str) -> int:
        """How many files and sockets the child has open."""
        pid = self.serve.child(words)
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    def memory_kib(self, words: str) -> int:
        """The resident memory of the child."""
        status = Path(f"/proc/{self.serve.child(words)}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


WORKER = "worker-1@"
WEB = "hanzolive.cli.web"
REDIS = "redis.sock"


@contextmanager
def stack(
    place: Path, node_url: str, *flags: str, people: tuple[str, ...] = CAST, **environment: str
) -> Iterator[Stack]:
    """`hanzo-live serve` in `place` until the end of the block."""
    flags = ("--node-url", node_url, *flags) if node_url else flags
    with serving(place / "data", place / "output", *flags, **environment) as serve:
        made = Stack(serve, Node(node_url))
        for name in people:
            made.people[name] = _made_by_command(made, name) if name == people[0] else signed_up(made, name)
        if environment.get("WORKERS") != "0":
            until(lambda: _has_worker(made), "a worker is at work", 60)
        yield made


def _made_by_command(made: Stack, name: str) -> Person:
    result = hanzo_live("user", "create", name, "--token", "--data-dir", str(made.serve.data))
    assert result.returncode == 0, result.stderr
    return person_of(made, name, result.stdout.splitlines()[-1])


def signed_up(made: Stack, name: str) -> Person:
    """As in a browser: signed up by the page, the token made with the cookie."""
    with made.browser() as browser:
        browser.get("/accounts/signup/")
        form = {"name": name, "email": f"{name.lower()}@example.com", "password1": PASSWORD}
        signed_up = browser.post(
            "/accounts/signup/", data={**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        )
        assert signed_up.status_code == 302, signed_up.text
        token = browser.post(
            "/v1/tokens", json={"name": "tests"}, headers={"X-CSRFToken": browser.cookies["csrftoken"]}
        )
        assert token.status_code == 201, token.text
    return person_of(made, name, token.json()["token"])


def person_of(made: Stack, name: str, token: str) -> Person:
    with made.rest(Authorization=f"Bearer {token}") as rest:
        me = rest.get("/v1/me").json()
    return Person(name, me["email"], token, me["id"])


def _has_worker(made: Stack) -> bool:
    with made.rest() as rest:
        checks = rest.get("/ready").json()["checks"]
    return bool(checks["worker"]["ok"])
