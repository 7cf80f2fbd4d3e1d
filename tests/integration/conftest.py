"""The stacks, started once a test run and only where a test asks for them, and a session of its own for each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hanzolive.folder import redis_url
from tests.cli.processes import scripted_node, serving
from tests.integration.stack import CAST, Person, Stack
from tests.integration.stack import stack as start_stack


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    with scripted_node() as url:
        yield url


Start = Callable[..., Stack]


@contextmanager
def _starting(node_url: str, places: pytest.TempPathFactory) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(*flags: str, people: tuple[str, ...] = CAST, **environment: str) -> Stack:
            place = places.mktemp("stack")
            return running.enter_context(start_stack(place, node_url, *flags, people=people, **environment))

        yield begin


@pytest.fixture(scope="session")
def start_for_all(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a stack that tests of many files use; all end with the run."""
    with _starting(node_url, tmp_path_factory) as begin:
        yield begin


@pytest.fixture(scope="module")
def start(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts a stack with further flags and environment; it ends with the file: also one that idles takes its turns."""
    with _starting(node_url, tmp_path_factory) as begin:
        yield begin


@pytest.fixture(scope="session")
def daphne(start_for_all: Start) -> Stack:
    return start_for_all(TOOLS_ASK_FIRST="delete_*")


@pytest.fixture(scope="session")
def stack(daphne: Stack) -> Stack:
    """The server as it is by default."""
    return daphne


@pytest.fixture(params=["daphne", "uvicorn"])
def each_server(request: pytest.FixtureRequest) -> Any:
    """For what a server could do differently."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def uvicorn(start_for_all: Start) -> Stack:
    return start_for_all("--server", "uvicorn")


@pytest.fixture(scope="session")
def pair(start_for_all: Start) -> Stack:
    """A server with two workers, for tests that take parts of it down."""
    return start_for_all("--workers", "2")


@contextmanager
def another(stack: Stack, place: Path) -> Iterator[Stack]:
    """A second server on the first one's database and Redis: people of both are in the same sessions."""
    data = stack.serve.data
    with serving(
        place / "data", place / "output", "--node-url", stack.node.url, "--workers", "0",
        REDIS_URL=redis_url(data), DATABASE_URL=f"sqlite:///{data}/db.sqlite3",
    ) as serve:  # fmt: skip
        yield Stack(serve, stack.node, stack.people)


@pytest.fixture(scope="session")
def other(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Beside `stack`, for what must be the same from two web processes. It is not taken down."""
    with another(stack, tmp_path_factory.mktemp("other")) as made:
        yield made


@dataclass(frozen=True)
class Room:
    """A session with its cast: Olga owns it, Tariq may edit, Vera watches, Otto is no member."""

    stack: Stack
    session: str

    @property
    def log(self) -> str:
        return f"session:{self.session}"

    def messages(self) -> list[dict[str, Any]]:
        """The transcript in REST, oldest first."""
        with self.stack.rest(self.olga) as rest:
            return list(rest.get(f"/v1/sessions/{self.session}/messages", params={"limit": 100}).json()["results"])

    @property
    def olga(self) -> Person:
        return self.stack.people["Olga"]

    @property
    def tariq(self) -> Person:
        return self.stack.people["Tariq"]

    @property
    def vera(self) -> Person:
        return self.stack.people["Vera"]

    @property
    def otto(self) -> Person:
        return self.stack.people["Otto"]


def make_room(stack: Stack, *, members: bool = True, **fields: str) -> Room:
    """A new session with its members, or Olga alone, made over REST."""
    with stack.rest(stack.people["Olga"]) as rest:
        made = rest.post("/v1/sessions", json={"title": "The plan", **fields})
        assert made.status_code == 201, made.text
        session = made.json()["id"]
        for name, role in (("Tariq", "editor"), ("Vera", "viewer")) if members else ():
            added = rest.post(f"/v1/sessions/{session}/members", json={"user": stack.people[name].id, "role": role})
            assert added.status_code == 201, added.text
    return Room(stack, session)


@pytest.fixture
def room(stack: Stack) -> Room:
    return make_room(stack)


@pytest.fixture
def prompt() -> str:
    """What a person says; different in each test, so that the node's record of it is found."""
    return f"What is {secrets.token_hex(6)}?"


@pytest.fixture
def each_room(each_server: Stack) -> Room:
    return make_room(each_server)
