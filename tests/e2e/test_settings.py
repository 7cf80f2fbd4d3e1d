"""What is set for a session: changed by its owners on its page, seen by all who have it open."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.session_page import choose, settings
from tests.e2e.stack import Stack


@pytest.fixture
def session(olga: Person, tariq: Person) -> dict[str, Any]:
    return olga.make_session("As it was", "script-echo", editor=tariq)


def test_an_owner_changes_everything_and_all_open_pages_follow(
    olga: Person, tariq: Person, session: dict[str, Any], stack: Stack
) -> None:
    for person in (olga, tariq):
        person.go(session)
    dialog = settings(olga)
    dialog.get_by_label("Title").fill("As it is")
    dialog.get_by_label("Address").fill("as-it-is")
    dialog.get_by_label("System prompt").fill("Be kind to cranes.")
    dialog.get_by_label("A prompt that comes while").select_option("Is refused")
    olga.photograph("settings")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    for person in (olga, tariq):
        expect(person.page.get_by_role("heading", level=1)).to_contain_text("As it is")
        person.page.wait_for_url("**/s/as-it-is")
    olga.ask("Hello?")
    olga.sees_end()
    told = stack.node.asked("Hello?")[-1]["messages"][0]
    assert (told["role"], told["content"]) == ("system", "Be kind to cranes.")
    tariq.page.reload()
    tariq.sees_live()


def test_others_may_look_at_the_settings(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    olga.rest("PATCH", f"sessions/{session['id']}", {"system_prompt": "<b>Be brief.</b>", "overlap": "interrupt"})
    tariq.go(session)
    choose(tariq, "About this session")
    dialog = tariq.page.get_by_role("dialog", name="About this session")
    expect(dialog).to_contain_text("<b>Be brief.</b>")
    expect(dialog).to_contain_text("Stops that answer")
    expect(dialog.get_by_role("textbox")).to_have_count(0)
    tariq.photograph("about")


def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(olga: Person, session: dict[str, Any]) -> None:
    olga.expect_problem("409")
    olga.rest("POST", "sessions", {"title": "Other", "slug": "other-one"}, 201)
    olga.go(session)
    dialog = settings(olga)
    dialog.get_by_label("Title").fill("Kept")
    dialog.get_by_label("Address").fill("other-one")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("is taken")
    expect(dialog.get_by_label("Title")).to_have_value("Kept")
    expect(olga.page.get_by_role("heading", level=1)).to_contain_text("As it was")


def test_an_archived_session_is_read_and_opened_again_while_all_look(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    for person in (olga, tariq):
        person.go(session)
    olga.ask("Say this")
    tariq.sees_end()
    choose(olga, "Archive")
    for person in (olga, tariq):
        expect(person.page.get_by_text("This session is archived")).to_be_visible()
        expect(person.composer).not_to_be_editable()
        assert person.answer_text() == "Say this"
    tariq.photograph("archived-session")
    tariq.page.reload()
    expect(tariq.page.get_by_text("This session is archived")).to_be_visible()
    assert tariq.answer_text() == "Say this"
    choose(olga, "Open again")
    for person in (olga, tariq):
        expect(person.composer).to_be_editable()
    tariq.ask("And this")
    olga.sees_end()
    expect(olga.answer).to_contain_text("And this")


def test_deleting_takes_the_owner_to_the_list_and_tells_the_others(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    for person in (olga, tariq):
        person.go(session)
    choose(olga, "Delete")
    olga.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(olga.page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()
    expect(tariq.page.get_by_text("This session was deleted.")).to_be_visible()


def test_a_transcript_is_taken_along(olga: Person, session: dict[str, Any]) -> None:
    olga.go(session)
    olga.ask("Keep this")
    olga.sees_end()
    with olga.page.expect_download() as download:
        choose(olga, "Transcript as Markdown")
    assert "Keep this" in download.value.path().read_text("utf-8")


def test_a_prompt_is_refused_in_words_with_its_text_kept(olga: Person, tariq: Person) -> None:
    session = olga.make_session("One at a time", "script-slow@rate=30,tokens=5000", editor=tariq)
    olga.rest("PATCH", f"sessions/{session['id']}", {"overlap": "reject"})
    for person in (olga, tariq):
        person.go(session)
    olga.ask("The first")
    tariq.sees_more_than(3)
    tariq.ask("The second")
    expect(tariq.page.get_by_text("An answer is being written in this session.")).to_be_visible()
    expect(tariq.composer).to_have_value("The second")
    tariq.photograph("refused")
    olga.stop_button.click()
    olga.sees_end()


def test_a_link_in_the_menu_of_ones_account_goes_there(olga: Person) -> None:
    olga.page.goto("/")
    olga.page.get_by_role("button", name="Account of").click()
    olga.page.get_by_role("menuitem", name="Profile").click()
    expect(olga.page.get_by_role("heading", name="Profile")).to_be_visible()
