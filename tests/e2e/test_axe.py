"""axe finds nothing serious on any page, in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.axe import problems
from tests.e2e.person import Person

SIZES: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}


@pytest.fixture(params=["dark", "light"])
def system(request: pytest.FixtureRequest) -> str:
    theme: str = request.param
    return theme


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> ViewportSize:
    return SIZES[request.param]


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/nowhere"]
)
def test_before_signing_in(arrive: Callable[..., Person], path: str, system: str, size: ViewportSize) -> None:
    passer_by = arrive("Pascal", new=True, system=system, size=size)
    passer_by.expect_problem("404")
    passer_by.page.goto(path)
    expect(passer_by.page.get_by_role("heading", level=1)).to_be_visible()
    assert problems(passer_by.page) == []


@pytest.mark.parametrize("path", ["/accounts/profile/", "/accounts/tokens/", "/accounts/email/", "/accounts/2fa/"])
def test_the_pages_of_ones_account(arrive: Callable[..., Person], path: str, system: str, size: ViewportSize) -> None:
    vera = arrive("Vera", system=system, size=size)
    vera.page.goto(path)
    expect(vera.page.get_by_role("heading", level=1)).to_be_visible()
    assert problems(vera.page) == []


def test_an_invitation(arrive: Callable[..., Person], olga: Person, system: str, size: ViewportSize) -> None:
    session = olga.make_session("Come and see", "script-echo")
    link = olga.rest("POST", f"sessions/{session['id']}/invitations", {"role": "viewer"}, 201)["url"]
    for person in (arrive("Pascal", new=True, system=system, size=size), arrive("Vera", system=system, size=size)):
        person.page.goto(link)
        expect(person.page.get_by_role("heading", level=1)).to_be_visible()
        assert problems(person.page) == []


def test_the_list_of_sessions(arrive: Callable[..., Person], system: str, size: ViewportSize) -> None:
    linus = arrive("Linus", system=system, size=size)
    page = linus.page
    linus.make_session("Something to list", "script-echo")
    page.goto("/")
    expect(page.get_by_role("link", name="Something to list").first).to_be_visible()
    assert problems(page) == []
    page.get_by_role("button", name="Account of Linus").click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert problems(page) == []


def test_a_session(arrive: Callable[..., Person], tariq: Person, system: str, size: ViewportSize) -> None:
    olga = arrive("Olga", system=system, size=size)
    session = olga.make_session("For everybody", "script-tools", editor=tariq)
    page = olga.go(session)
    assert problems(page) == []
    olga.ask("# Look\n\n```js\nlet x\n```")
    olga.sees_end()
    assert problems(page) == []
    page.get_by_role("button", name="People (2)").click()
    expect(page.get_by_role("dialog", name="People")).to_be_visible()
    assert problems(page) == []
