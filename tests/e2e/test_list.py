"""The list of one's sessions: what is new in them, and what one may do with each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, expect

from tests.e2e.person import Person, path_of


def row(person: Person, session: dict[str, Any]) -> Locator:
    return person.page.get_by_role("listitem").filter(has=person.page.locator(f"a[href='{path_of(session)}']"))


def choose(person: Person, session: dict[str, Any], command: str) -> None:
    """From the menu of the session's row."""
    row(person, session).get_by_role("button", name="Options of").click()
    person.page.get_by_role("menuitem", name=command).click()


def say(person: Person, session: dict[str, Any], content: str) -> None:
    body = {"content": content, "reply": False}
    person.rest("POST", f"sessions/{session['id']}/messages", body, 202)


def test_what_others_say_is_unread_until_one_has_seen_its_end(arrive: Callable[..., Person], olga: Person) -> None:
    nadia = arrive("Nadia")
    session = olga.make_session("News", "script-echo", viewer=nadia)
    say(olga, session, "One thing")
    say(olga, session, "Another thing")
    nadia.page.goto("/")
    expect(row(nadia, session)).to_contain_text("2 unread")
    nadia.photograph("unread")
    row(nadia, session).get_by_role("link").click()
    with nadia.page.expect_response("**/read"):
        nadia.sees_live()
    nadia.page.go_back()
    expect(row(nadia, session)).to_be_visible()
    expect(row(nadia, session)).not_to_contain_text("unread")


def test_what_comes_while_one_reads_further_up_stays_unread(arrive: Callable[..., Person], olga: Person) -> None:
    nadia = arrive("Nadia")
    session = olga.make_session("Further up", "script-echo", viewer=nadia)
    for number in range(12):
        say(olga, session, f"Paragraph {number}\n\n" + "and so on\n" * 8)
    with nadia.page.expect_response("**/read"):
        nadia.go(session)
    # Away from the end, and from the beginning.
    nadia.page.get_by_role("article", name="Olga said").nth(6).scroll_into_view_if_needed()
    jump = nadia.page.get_by_role("button", name="Jump to latest")
    expect(jump).to_be_visible()
    before = nadia.page.evaluate("() => document.querySelector('main').scrollTop")
    say(olga, session, "Unseen")
    say(olga, session, "Unseen, too")
    expect(jump).to_have_text("2 new, jump to latest")
    assert nadia.page.evaluate("() => document.querySelector('main').scrollTop") == before
    assert unread_of(nadia, session) == 2
    with nadia.page.expect_response("**/read"):
        jump.click()
    expect(nadia.page.get_by_text("Unseen, too")).to_be_in_viewport()
    assert unread_of(nadia, session) == 0


def unread_of(person: Person, session: dict[str, Any]) -> int:
    count: int = person.rest("GET", f"sessions/{session['id']}")["unread"]
    return count


def test_an_owner_renames_archives_opens_duplicates_and_deletes(arrive: Callable[..., Person]) -> None:
    olaf = arrive("Olaf")
    page = olaf.page
    session = olaf.make_session("First name", "script-echo")
    say(olaf, session, "Something to keep")
    page.goto("/")
    choose(olaf, session, "Rename")
    page.get_by_label("Title").fill("Second name")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(row(olaf, session)).to_contain_text("Second name")

    choose(olaf, session, "Archive")
    expect(page.get_by_text("“Second name” is archived.")).to_be_visible()
    expect(row(olaf, session)).to_have_count(0)
    page.get_by_role("button", name="Archived sessions").click()
    expect(row(olaf, session)).to_be_visible()
    olaf.photograph("archived")
    page.reload()
    choose(olaf, session, "Open again")
    expect(page.get_by_role("heading", name="Nothing is archived")).to_be_visible()
    page.get_by_role("button", name="Active", exact=True).click()

    choose(olaf, session, "Duplicate")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Second name (copy)")
    expect(page.get_by_text("Something to keep")).to_be_visible()

    page.goto("/")
    choose(olaf, session, "Delete")
    dialog = page.get_by_role("alertdialog", name="Delete this session?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    expect(dialog).to_contain_text("Second name")
    olaf.photograph("delete")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(row(olaf, session).get_by_role("button", name="Options of")).to_be_focused()
    choose(olaf, session, "Delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Second name” was deleted.")).to_be_visible()
    expect(row(olaf, session)).to_have_count(0)
    olaf.rest("GET", f"sessions/{session['id']}", status=404)


def test_a_member_leaves(arrive: Callable[..., Person], olga: Person) -> None:
    nadia = arrive("Nadia")
    session = olga.make_session("Not for me", "script-echo", editor=nadia)
    nadia.page.goto("/")
    choose(nadia, session, "Leave")
    nadia.page.get_by_role("alertdialog").get_by_role("button", name="Leave").click()
    expect(nadia.page.get_by_text("You left “Not for me”.")).to_be_visible()
    expect(row(nadia, session)).to_have_count(0)
    nadia.rest("GET", f"sessions/{session['id']}", status=404)


def test_a_session_without_a_title_takes_it_from_its_first_prompt(olga: Person) -> None:
    page = olga.page
    page.goto("/")
    page.get_by_role("button", name="New session").click()
    page.get_by_label("Model").select_option("script-echo")
    page.get_by_role("button", name="Create session").click()
    olga.sees_live()
    olga.ask("Where do cranes spend the winter?")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Where do cranes spend the winter?")


def test_what_is_wrong_with_a_new_session_stands_at_its_field(olga: Person) -> None:
    page = olga.page
    olga.rest("POST", "sessions", {"title": "Taken", "slug": "taken-already"}, 201)
    olga.expect_problem("409")
    olga.expect_problem("400")
    page.goto("/")
    page.get_by_role("button", name="New session").click()
    page.get_by_text("More settings").click()
    address = page.get_by_label("Address")
    for slug, complaint in (("taken-already", "is taken"), ("No Way", "small letters")):
        address.fill(slug)
        page.get_by_role("button", name="Create session").click()
        expect(page.get_by_role("alert")).to_contain_text(complaint)
        expect(address).to_have_attribute("aria-invalid", "true")
    olga.photograph("wrong-address")
    address.fill("fresh-one")
    page.get_by_role("button", name="Create session").click()
    olga.sees_live()
    assert page.url.endswith("/s/fresh-one")


def test_the_list_says_that_the_server_is_away_and_keeps_what_it_has(olga: Person) -> None:
    olga.expect_problem("ERR_FAILED")
    session = olga.make_session("Still here", "script-echo")
    page = olga.page
    page.goto("/")
    expect(row(olga, session)).to_be_visible()
    page.route("**/v1/sessions?*", lambda route: route.abort())
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    expect(row(olga, session)).to_be_visible()
    page.unroute("**/v1/sessions?*")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_long_list_comes_page_by_page_and_stays_when_one_comes_back(arrive: Callable[..., Person]) -> None:
    mona = arrive("Mona")
    for number in range(35):
        mona.make_session(f"Number {number}", "script-echo")
    page = mona.page
    page.goto("/")
    rows = page.locator(".session-row")
    expect(rows).to_have_count(30)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(35)
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    with page.expect_response("**/v1/sessions?limit=35*"):
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(rows).to_have_count(35)
