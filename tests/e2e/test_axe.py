"""axe finds nothing serious on any page, in light and dark, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.axe import problems
from tests.e2e.person import Person
from tests.e2e.session_page import faces, more_for, people, row, settings

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


def test_the_menus_and_dialogs_of_a_session(
    arrive: Callable[..., Person], tariq: Person, system: str, size: ViewportSize
) -> None:
    olga = arrive("Olga", system=system, size=size)
    session = olga.make_session("Behind buttons", "script-echo", editor=tariq)
    for invited in ({"email": "nobody.yet@example.com", "role": "editor"}, {"role": "viewer", "max_uses": 5}):
        olga.rest("POST", f"sessions/{session['id']}/invitations", invited, 201)
    page = olga.go(session)
    olga.ask("Say this")
    olga.sees_end()
    found: dict[str, list[str]] = {}

    page.get_by_role("button", name="Session menu").click()
    expect(page.get_by_role("menu")).to_be_visible()
    found["menu of the session"] = problems(page)
    page.keyboard.press("Escape")
    more_for(olga, 1)
    expect(page.get_by_role("menu")).to_be_visible()
    found["menu of a message"] = problems(page)
    page.get_by_role("menuitem", name="Edit and ask again").click()
    found["a message being edited"] = problems(page)
    page.keyboard.press("Escape")
    faces(olga).click()
    expect(page.get_by_role("heading", name="Here now")).to_be_visible()
    found["who is here"] = problems(page)
    page.keyboard.press("Escape")
    settings(olga)
    found["settings"] = problems(page)
    page.keyboard.press("Escape")
    dialog = people(olga)
    dialog.get_by_text("Invite by a link").click()
    dialog.get_by_role("button", name="Make a link").click()
    expect(dialog.get_by_role("button", name=re.compile("^Revoke"))).to_have_count(3)
    found["people and invitations"] = problems(page)
    row(olga, "Tariq").get_by_role("button", name="Remove Tariq").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    found["a question before removing"] = problems(page)
    assert found == {name: [] for name in found}


def test_the_menus_and_dialogs_of_the_list(arrive: Callable[..., Person], system: str, size: ViewportSize) -> None:
    linus = arrive("Linus", system=system, size=size)
    session = linus.make_session("Looked for", "script-echo")
    said = {"content": "The crane is looked for, and found.", "reply": False}
    linus.rest("POST", f"sessions/{session['id']}/messages", said, 202)
    page = linus.page
    page.goto("/")
    found: dict[str, list[str]] = {}

    options = page.get_by_role("button", name="Options of").first
    options.click()
    expect(page.get_by_role("menu")).to_be_visible()
    found["menu of a session"] = problems(page)
    page.get_by_role("menuitem", name="Rename").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found["renaming"] = problems(page)
    page.keyboard.press("Escape")
    options.click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    found["a question before deleting"] = problems(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="New session").click()
    page.get_by_text("More settings").click()
    expect(page.get_by_label("System prompt")).to_be_visible()
    found["a new session"] = problems(page)
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").fill("look")
    expect(page.locator("mark").first).to_be_visible()
    found["search results"] = problems(page)
    page.get_by_role("searchbox").fill("zygomorphic")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    found["nothing found"] = problems(page)
    assert found == {name: [] for name in found}
