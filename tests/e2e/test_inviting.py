"""Bringing people into a session and out of it again, with several browsers open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.person import PASSWORD, Person, path_of
from tests.e2e.session_page import people, row


@pytest.fixture
def session(olga: Person) -> dict[str, Any]:
    return olga.make_session("Come and see", "script-echo")


def test_who_has_a_link_makes_an_account_and_joins_while_the_owner_looks(
    olga: Person, arrive: Callable[..., Person], session: dict[str, Any]
) -> None:
    olga.go(session)
    dialog = people(olga)
    dialog.get_by_text("Invite by a link").click()
    dialog.get_by_label("Whoever has it joins as").select_option("viewer")
    dialog.get_by_label("Good for").select_option("1 day")
    dialog.get_by_label("How many may use it").select_option("5 people")
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("Link of the invitation").input_value()
    expect(dialog.get_by_role("button", name="Copy the invitation's link")).to_be_visible()
    expect(row(olga, "By a link")).to_contain_text("Viewer · used 0 of 5 times · ends tomorrow")
    olga.photograph("invite-link")

    nina = arrive("Nina", new=True)
    page = nina.page
    page.goto(link)
    expect(page.get_by_role("heading", name="Join “Come and see”")).to_be_visible()
    nina.photograph("invitation")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Name").fill("Nina")
    page.get_by_label("E-mail").fill(nina.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.get_by_role("button", name="Join the session").click()
    nina.sees_live()
    expect(nina.composer).not_to_be_editable()
    expect(row(olga, "Nina")).to_be_visible()

    # Who joined by the link finds the session by it.
    page.goto(link)
    nina.sees_live()


def test_an_address_without_an_account_is_invited_and_the_invitation_can_be_taken_back(
    olga: Person, vera: Person, session: dict[str, Any]
) -> None:
    olga.expect_problem("404")
    olga.go(session)
    dialog = people(olga)
    dialog.get_by_label("Add by e-mail").fill("nobody.yet@example.com")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_text("has no account here yet and is invited by mail")).to_be_visible()
    link = dialog.get_by_label("Link of the invitation").input_value()
    expect(row(olga, "nobody.yet@example.com")).to_contain_text("Editor · mail sent")
    olga.photograph("invited")

    dialog.get_by_role("button", name="Revoke the invitation of nobody.yet@example.com").click()
    expect(row(olga, "nobody.yet@example.com").filter(has_text="mail sent")).to_have_count(0)
    vera.expect_problem(r"\b4\d\d\b")
    vera.page.goto(link)
    expect(vera.page.get_by_role("heading", level=1)).not_to_contain_text("Join")
    vera.photograph("invitation-revoked")


def test_who_is_a_member_already_is_not_added_twice(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    olga.expect_problem("409")
    olga.go(session)
    dialog = people(olga)
    for outcome in ("Tariq was added.", "Tariq is a member of this session already."):
        dialog.get_by_label("Add by e-mail").fill(tariq.email)
        dialog.get_by_role("button", name="Add", exact=True).click()
        expect(dialog.get_by_text(outcome)).to_be_visible()
    expect(dialog.get_by_label("Add by e-mail")).to_have_attribute("aria-invalid", "true")


def test_a_new_role_holds_at_once_on_an_open_page(olga: Person, tariq: Person) -> None:
    session = olga.make_session("Roles", "script-slow@rate=30,tokens=5000", editor=tariq)
    for person in (olga, tariq):
        person.go(session)
    tariq.ask("Begin")
    tariq.sees_more_than(3)
    expect(tariq.stop_button).to_be_visible()
    row(olga, "Tariq").get_by_role("combobox", name="Role of Tariq").select_option("Viewer")
    expect(tariq.page.get_by_text("You are watching as a viewer.")).to_be_visible()
    expect(tariq.composer).not_to_be_editable()
    expect(tariq.stop_button).to_have_count(0)
    tariq.sees_more_than(tariq.words() + 5)

    row(olga, "Tariq").get_by_role("combobox", name="Role of Tariq").select_option("Owner")
    expect(tariq.composer).to_be_editable()
    expect(row(tariq, "Olga").get_by_role("combobox", name="Role of Olga")).to_be_visible()
    olga.page.keyboard.press("Escape")
    olga.stop_button.click()
    olga.sees_end()


def test_removing_asks_first_and_takes_effect_on_the_open_page(olga: Person, tariq: Person) -> None:
    session = olga.make_session("Not for long", "script-echo", editor=tariq)
    for person in (olga, tariq):
        person.go(session)
    row(olga, "Tariq").get_by_role("button", name="Remove Tariq").click()
    asking = olga.page.get_by_role("alertdialog", name="Remove from this session?")
    expect(asking.get_by_role("button", name="Cancel")).to_be_focused()
    olga.page.keyboard.press("Escape")
    expect(asking).to_have_count(0)
    expect(people(olga)).to_be_visible()
    expect(row(olga, "Tariq")).to_be_visible()
    row(olga, "Tariq").get_by_role("button", name="Remove Tariq").click()
    asking.get_by_role("button", name="Remove").click()
    expect(tariq.page.get_by_role("heading", name="Access ended")).to_be_visible()
    expect(row(olga, "Tariq")).to_have_count(0)


def test_members_see_who_is_there_and_leave_by_themselves(olga: Person, vera: Person) -> None:
    session = olga.make_session("Only a look", "script-echo", viewer=vera)
    vera.go(session)
    dialog = people(vera)
    expect(dialog.get_by_text("Owners of this session can add people.")).to_be_visible()
    expect(dialog.get_by_label("Add by e-mail")).to_have_count(0)
    expect(dialog.get_by_role("combobox")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Remove")).to_have_count(0)
    dialog.get_by_role("button", name="Leave").click()
    vera.page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    expect(vera.page.get_by_role("heading", name="Access ended")).to_be_visible()
    vera.expect_problem("404")
    vera.page.goto(path_of(session))
    expect(vera.page.get_by_role("heading", name="Nothing is here")).to_be_visible()


def test_the_last_owner_is_told_why_they_cannot_leave(olga: Person, session: dict[str, Any]) -> None:
    olga.expect_problem("409")
    olga.go(session)
    people(olga).get_by_role("button", name="Leave").click()
    asking = olga.page.get_by_role("alertdialog")
    asking.get_by_role("button", name="Leave").click()
    expect(asking.get_by_role("alert")).to_contain_text("A session needs an owner.")


def test_names_that_would_like_to_be_more_than_text_are_text(
    arrive: Callable[..., Person], olga: Person, session: dict[str, Any]
) -> None:
    name = "<b>מפתיע</b>‮ 🦩 " + "W" * 90
    ziad = arrive("Ziad")
    ziad.rest("PATCH", "me", {"name": name})
    try:
        olga.rest("POST", f"sessions/{session['id']}/members", {"email": ziad.email, "role": "editor"}, 201)
        for size in ({"width": 1200, "height": 800}, {"width": 360, "height": 740}):
            olga.page.set_viewport_size(size)  # type: ignore[arg-type]
            olga.go(session)
            expect(people(olga)).to_contain_text("<b>מפתיע</b>")
            expect(people(olga).locator("b")).to_have_count(0)
            olga.sees_no_sideways_scrolling()
            expect(people(olga).get_by_role("button", name="Remove")).to_be_in_viewport(ratio=1)
            olga.photograph(f"hostile-name-{size['width']}")
            ziad.page.set_viewport_size(size)  # type: ignore[arg-type]
            ziad.page.goto("/")
            expect(ziad.page.get_by_role("button", name="Account of")).to_be_visible()
            ziad.sees_no_sideways_scrolling()
            ziad.page.goto("/accounts/profile/")
            ziad.sees_no_sideways_scrolling()
    finally:
        ziad.rest("PATCH", "me", {"name": "Ziad"})
