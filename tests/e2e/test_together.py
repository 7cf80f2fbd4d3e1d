"""Two people, two browsers, one answer: at the same time, from the middle, and after a reload."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, path_of, single_spaced
from tests.e2e.stack import Stack

MODEL = "script-slow@rate=45,tokens=180"
PROMPT = "Tell both of us the same"


@pytest.fixture
def session(olga: Person) -> dict[str, Any]:
    return olga.make_session("For two", MODEL)


@pytest.fixture
def shared(olga: Person, tariq: Person) -> dict[str, Any]:
    return olga.make_session("For two", MODEL, editor=tariq)


def test_the_owner_adds_a_person_by_email_who_then_finds_the_session(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    page = olga.go(session)
    page.get_by_role("button", name="People (1)").click()
    dialog = page.get_by_role("dialog", name="People")
    dialog.get_by_label("Add by e-mail").fill(tariq.email)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_text("Tariq was added.")).to_be_visible()
    expect(dialog.get_by_role("listitem").filter(has_text="Tariq")).to_be_visible()
    olga.photograph("people")

    tariq.page.goto("/")
    tariq.page.locator(f"a[href='{path_of(session)}']").click()
    tariq.sees_live()
    expect(tariq.page.get_by_role("button", name="People (2)")).to_be_visible()


def test_both_see_the_tokens_while_they_are_written_and_the_same_text_at_the_end(
    olga: Person, tariq: Person, shared: dict[str, Any], stack: Stack
) -> None:
    olga.go(shared)
    tariq.go(shared)
    olga.ask(PROMPT)
    for count in (0, 20, 60):
        olga.sees_more_than(count)
        tariq.sees_more_than(count)
    olga.photograph("together-owner")
    tariq.photograph("together-editor")
    expect(tariq.answer).to_contain_text("script-slow (scripted, no model)")
    expect(tariq.answer).to_contain_text("for")
    olga.sees_end()
    tariq.sees_end()
    assert olga.answer_text() == tariq.answer_text() == single_spaced(stack.answer_to(PROMPT))


def test_who_comes_in_the_middle_has_the_whole_text_at_once(
    olga: Person, tariq: Person, shared: dict[str, Any], stack: Stack
) -> None:
    olga.go(shared)
    olga.ask(PROMPT)
    olga.sees_more_than(50)
    there_already = olga.answer_text()
    tariq.keep_first_text()
    tariq.go(shared)
    first = tariq.first_text()
    assert first.startswith(there_already)
    tariq.sees_more_than(len(first.split()))
    tariq.sees_end()
    assert tariq.answer_text() == single_spaced(stack.answer_to(PROMPT))


def test_a_reload_in_the_middle_misses_nothing(olga: Person, shared: dict[str, Any], stack: Stack) -> None:
    olga.go(shared)
    olga.ask(PROMPT)
    olga.sees_more_than(40)
    before = olga.words()
    olga.page.reload()
    olga.sees_more_than(before)
    olga.sees_end()
    expected = stack.answer_to(PROMPT)
    assert olga.answer_text() == single_spaced(expected)
    assert olga.transcript(shared)[-1]["content"] == expected
