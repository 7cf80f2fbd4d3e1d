"""One browser and one server for all tests here; a session and browser contexts of its own for each.

These tests are a pytest run of their own: playwright's event loop does not go with pytest-asyncio's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.chromium import chromium
from tests.e2e.stack import Stack, running

pytest.register_assert_rewrite("tests.e2e.person")
from tests.e2e.person import PASSWORD, Person  # noqa: E402

HERE = Path(__file__).parent
# A busy machine is slow, and nothing here waits longer than it must.
PATIENCE_MS = 20_000
TEST_SECONDS = 180
# `make test` has the whole of these tests come through nginx to two web processes, as people do.
THROUGH_NGINX = os.environ.get("E2E_THROUGH") == "nginx"
DESKTOP: ViewportSize = {"width": 1200, "height": 800}

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of all starts a whole server."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server that asks the scripted node."""
    digging = {"command": sys.executable, "args": [str(HERE / "mcp_tools.py")]}
    tools = {
        "TOOL_MODULES": "tests.e2e.tools",
        "MCP_SERVERS": json.dumps({"digging": digging}),
        "PYTHONPATH": str(HERE.parents[1]),
    }
    with running(tmp_path_factory.mktemp("e2e"), through_nginx=THROUGH_NGINX, **tools) as stack:
        yield stack


@pytest.fixture(scope="session")
def sign_ins(browser: Browser, stack: Stack) -> Callable[[str], Any]:
    """The cookies of a person who signed up, by first name. Each signs up once."""
    known: dict[str, Any] = {}

    def sign_in(name: str) -> Any:
        if name not in known:
            context = browser.new_context(base_url=stack.url, ignore_https_errors=True)
            context.request.get("/accounts/signup/")
            token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "csrftoken")
            fields: dict[str, str | float | bool] = {
                "name": name,
                "email": address_of(name),
                "password1": PASSWORD,
                "csrfmiddlewaretoken": token,
            }
            headers = {"Referer": f"{stack.url}/accounts/signup/"}  # which Django wants to see on https
            response = context.request.post("/accounts/signup/", form=fields, headers=headers)
            assert response.url == f"{stack.url}/", response.text()
            known[name] = context.storage_state()
            context.close()
        return known[name]

    return sign_in


def address_of(name: str) -> str:
    return f"{name.lower()}@example.com"


@pytest.fixture
def arrive(browser: Browser, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Callable[..., Person]]:
    """Brings a person to a browser; those `new` have no account yet. Fails the test on anything wrong in a console."""
    people: list[Person] = []

    def come(
        name: str,
        *,
        new: bool = False,
        size: ViewportSize = DESKTOP,
        url: str = stack.url,
        system: Literal["dark", "light"] = "dark",
    ) -> Person:
        state = None if new else request.getfixturevalue("sign_ins")(name)
        context = browser.new_context(
            base_url=url, storage_state=state, viewport=size, color_scheme=system, ignore_https_errors=True
        )
        context.set_default_timeout(PATIENCE_MS)
        people.append(Person(name, address_of(name), context, url))
        return people[-1]

    yield come
    for person in people:
        person.context.close()
    assert {person.name: person.unexpected_problems for person in people} == {person.name: [] for person in people}


@pytest.fixture
def olga(arrive: Callable[..., Person]) -> Person:
    """Owns the sessions of these tests."""
    return arrive("Olga")


@pytest.fixture
def tariq(arrive: Callable[..., Person]) -> Person:
    """Edits in them."""
    return arrive("Tariq")


@pytest.fixture
def vera(arrive: Callable[..., Person]) -> Person:
    """Watches them."""
    return arrive("Vera")
