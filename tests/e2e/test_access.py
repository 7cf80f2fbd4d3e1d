"""Access that ends while one looks: removed, signed out, never had."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.person import PASSWORD, Person, path_of

ENDLESS = "script-slow@rate=30,tokens=5000"


def test_a_removed_members_page_says_that_access_ended_and_gets_no_more_text(olga: Person, tariq: Person) -> None:
    session = olga.make_session("Not for long", ENDLESS, editor=tariq)
    tariq.go(session)
    page = olga.go(session)
    olga.ask("Talk on")
    tariq.sees_more_than(5)
    page.get_by_role("button", name="People (2)").click()
    page.get_by_role("button", name="Remove Tariq").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(tariq.page.get_by_role("heading", name="Access ended")).to_be_visible()
    had = tariq.words()
    page.keyboard.press("Escape")
    olga.sees_more_than(olga.words() + 10)
    assert tariq.words() == had
    expect(tariq.composer).to_have_count(0)
    expect(tariq.stop_button).to_have_count(0)
    tariq.page.get_by_role("link", name="Skip to why access ended").press("Enter")
    expect(tariq.page.locator("#ended")).to_be_focused()
    tariq.photograph("removed")
    olga.stop_button.click()
    olga.sees_end()

    tariq.expect_problem("404")
    tariq.page.reload()
    expect(tariq.page.get_by_role("heading", name="Nothing is here")).to_be_visible()
    tariq.photograph("not-a-member")


def test_a_page_says_that_one_signed_out_in_another_tab(arrive: Callable[..., Person]) -> None:
    sofia = arrive("Sofia", new=True)
    sofia.sign_up()
    session = sofia.make_session("Two tabs", "script-echo")
    sofia.go(session)
    other = sofia.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Account of Sofia").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(other.get_by_role("link", name="Sign in").first).to_be_visible()
    expect(sofia.connection).to_have_text(re.compile("Signed out"))
    sofia.photograph("signed-out")
    sofia.connection.click()
    expect(sofia.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert f"next={path_of(session)}" in sofia.page.url.replace("%2F", "/")


def test_a_session_of_others_looks_like_none_at_all(olga: Person, vera: Person) -> None:
    session = olga.make_session("Private", "script-echo")
    vera.expect_problem("404")
    for path in (path_of(session), "/s/there-is-none"):
        vera.page.goto(path)
        expect(vera.page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_who_is_not_signed_in_comes_back_to_the_session_after_signing_in(
    olga: Person, arrive: Callable[..., Person]
) -> None:
    session = olga.make_session("Come back", "script-echo")
    again = arrive("Olga", new=True)
    again.page.goto(path_of(session))
    again.page.get_by_label("E-mail").fill(olga.email)
    again.page.get_by_label("Password").fill(PASSWORD)
    again.photograph("sign-in")
    again.page.get_by_role("button", name="Sign in").click()
    expect(again.page.get_by_role("heading", name="Come back")).to_be_visible()
    again.sees_live()
