"""From nothing to a finished answer: the first minutes of a new person."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack

PROMPT = "What is a log?"


def test_a_new_person_signs_up_and_is_invited_to_make_the_first_session(arrive: Callable[..., Person]) -> None:
    nora = arrive("Nora", new=True)
    nora.sign_up()
    expect(nora.page.get_by_role("heading", name="Start your first session")).to_be_visible()
    nora.photograph("list-empty")


def test_a_session_is_made_and_asked_and_its_answer_appears_token_by_token(
    arrive: Callable[..., Person], stack: Stack
) -> None:
    nils = arrive("Nils")
    nils.page.goto("/")
    nils.page.get_by_label("Title").fill("About logs")
    nils.page.get_by_label("Model").select_option("script-slow")
    nils.page.get_by_role("button", name="Create session").click()
    expect(nils.page.get_by_role("heading", name="About logs")).to_be_visible()
    expect(nils.page.get_by_text("Nothing has been said yet")).to_be_visible()
    nils.sees_live()
    nils.photograph("session-empty")

    nils.ask(PROMPT)
    nils.sees_more_than(0)
    expect(nils.page.locator(".hl-prose-growing")).to_have_count(1)
    expect(nils.live_facts).to_contain_text("tokens/s")
    nils.sees_more_than(nils.words() + 40)
    nils.photograph("answer-live")
    nils.stop_button.click()
    nils.sees_end()


def test_a_finished_answer_is_the_nodes_and_is_there_after_a_reload(olga: Person, stack: Stack) -> None:
    session = olga.make_session("A fast one", "script-fast")
    olga.go(session)
    olga.ask(PROMPT)
    olga.sees_end()
    expect(olga.answer).to_contain_text("256 tokens")
    olga.photograph("answer-finished")
    shown = olga.answer_text()
    assert shown == single_spaced(stack.answer_to(PROMPT))

    olga.page.reload()
    olga.sees_live()
    expect(olga.page.get_by_role("article", name="You said")).to_contain_text(PROMPT)
    assert olga.answer_text() == shown
    assert [message["content"] for message in olga.transcript(session)] == [PROMPT, stack.answer_to(PROMPT)]


def test_the_list_shows_the_session_with_its_model(olga: Person) -> None:
    olga.make_session("Named in the list", "script-echo")
    olga.page.goto("/")
    row = olga.page.get_by_role("link", name="Named in the list")
    expect(row).to_contain_text("script-echo")
    olga.photograph("list")
    row.click()
    expect(olga.page.get_by_role("heading", name="Named in the list")).to_be_visible()
