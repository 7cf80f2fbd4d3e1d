"""Light and dark: the system's, unless somebody chose; there from the first paint on, on every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.person import Person

LIGHT = "rgb(255, 255, 255)"
DARK = "rgb(10, 10, 10)"
# Remembers the theme at the moment at which the body comes into being: nothing was painted before.
KEEP_FIRST_THEME = """
    new MutationObserver((_, observer) => {
        if (!document.body) return;
        window.firstTheme = document.documentElement.dataset.theme;
        observer.disconnect();
    }).observe(document, { childList: true, subtree: true });"""


def ground(page: Page) -> str:
    colour: str = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    return colour


def choose(page: Page, theme: str) -> None:
    """From the menu of one's account."""
    page.get_by_role("button", name="Account of").click()
    page.get_by_role("menuitemradio", name=theme).click()


@pytest.mark.parametrize(("system", "expected"), [("light", LIGHT), ("dark", DARK)])
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/", "/nowhere"])
def test_pages_follow_the_system_for_who_did_not_choose(
    arrive: Callable[..., Person], path: str, system: Literal["dark", "light"], expected: str
) -> None:
    passer_by = arrive("Pascal", new=True, system=system)
    passer_by.expect_problem("404")
    passer_by.page.goto(path)
    assert ground(passer_by.page) == expected


def test_a_choice_holds_on_every_page_and_in_every_tab_from_the_first_paint_on(olga: Person) -> None:
    session = olga.make_session("By daylight", "script-echo")
    olga.context.add_init_script(KEEP_FIRST_THEME)
    page = olga.page
    page.goto("/")
    other = olga.context.new_page()
    other.goto(f"/s/{session['id']}")
    assert (ground(page), ground(other)) == (DARK, DARK)
    choose(page, "Light")
    assert ground(page) == LIGHT
    expect(other.locator("html")).to_have_attribute("data-theme", "light")
    assert ground(other) == LIGHT
    for path in ("/", f"/s/{session['id']}", "/accounts/profile/"):
        page.goto(path)
        assert page.evaluate("() => window.firstTheme") == "light"
        assert ground(page) == LIGHT
    page.goto("/")
    choose(page, "As the system")
    assert ground(page) == DARK
    assert page.evaluate("() => localStorage.length") == 0


def test_pages_that_the_server_renders_have_the_same_choice(arrive: Callable[..., Person]) -> None:
    passer_by = arrive("Pascal", new=True)
    page = passer_by.page
    page.goto("/accounts/login/")
    page.get_by_label("Theme").select_option("Light")
    assert ground(page) == LIGHT
    page.goto("/")
    assert ground(page) == LIGHT
    expect(page.get_by_label("Theme")).to_have_value("light")


def test_without_scripts_a_page_follows_the_system_and_offers_no_choice(arrive: Callable[..., Person]) -> None:
    passer_by = arrive("Pascal", new=True, system="light")
    passer_by.context.route("**/theme-*.js", lambda route: route.abort())
    passer_by.expect_problem("ERR_FAILED")
    passer_by.page.goto("/accounts/login/")
    assert ground(passer_by.page) == LIGHT
    expect(passer_by.page.get_by_label("Theme")).to_be_hidden()
