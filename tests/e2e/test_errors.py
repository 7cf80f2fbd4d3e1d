"""Answers that fail: said in words, what was written is kept, and Retry asks again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack


def test_an_error_midway_keeps_the_text_and_retry_asks_again(olga: Person, stack: Stack) -> None:
    prompt = "Fail half way"
    session = olga.make_session("Failing", "script-error-midway@tokens=60,rate=100")
    olga.go(session)
    olga.ask(prompt)
    notice = olga.answer.get_by_role("alert")
    expect(notice).to_contain_text("The script failed here, as it was told to.", timeout=15_000)
    written = olga.answer_text()
    assert len(written.split()) == 20
    assert single_spaced(stack.answer_to(prompt)).startswith(written)
    olga.photograph("error-midway")

    notice.get_by_role("button", name="Retry").click()
    expect(olga.page.get_by_role("article", name="Answer")).to_have_count(2)
    expect(olga.answer.get_by_role("alert")).to_be_visible(timeout=15_000)
    # Each was asked twice again before it failed.
    assert len(stack.node.asked(prompt)) == 6


def test_a_cut_answer_says_so_and_keeps_its_text_and_its_reason_after_a_reload(olga: Person) -> None:
    olga.go(olga.make_session("Cut", "script-cut@tokens=60,rate=100"))
    olga.ask("Be cut")
    notice = olga.answer.get_by_role("alert")
    expect(notice).to_be_visible(timeout=15_000)
    reason = notice.inner_text()
    written = olga.answer_text()
    assert len(written.split()) == 20
    olga.photograph("error-cut")
    olga.page.reload()
    expect(notice).to_have_text(reason, use_inner_text=True)
    assert olga.answer_text() == written


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("script-error-first", "The node failed"),
        ("script-busy", "wait and try again"),
    ],
)
def test_a_refused_prompt_is_explained_with_a_retry(olga: Person, model: str, words: str) -> None:
    olga.go(olga.make_session("Refused", model))
    olga.ask("Will you answer?")
    notice = olga.answer.get_by_role("alert")
    expect(notice).to_contain_text(words, timeout=15_000)
    expect(notice.get_by_role("button", name="Retry")).to_be_visible()
    olga.photograph(f"refused-{model}")


def test_a_prompt_that_is_too_long_is_explained_with_what_to_do_instead_of_a_retry(olga: Person) -> None:
    olga.go(olga.make_session("Too long", "script-context"))
    olga.ask("Will you answer?")
    notice = olga.answer.get_by_role("alert")
    expect(notice).to_contain_text("longer than the model can read")
    expect(notice).to_contain_text("go on in a new session")
    expect(notice.get_by_role("button", name="Retry")).to_have_count(0)
    olga.photograph("refused-script-context")


def test_a_node_that_is_down_is_named_as_the_reason_and_retry_works_once_it_is_back(olga: Person, stack: Stack) -> None:
    prompt = "Is anybody there?"
    olga.go(olga.make_session("Nobody there", "script-echo"))
    stack.node.stop()
    olga.ask(prompt)
    notice = olga.answer.get_by_role("alert")
    expect(notice).to_contain_text("node", timeout=40_000)
    olga.photograph("node-down")
    stack.node.start()
    notice.get_by_role("button", name="Retry").click()
    expect(olga.page.get_by_role("article", name="Answer")).to_have_count(2)
    olga.sees_end()
    assert olga.answer_text() == single_spaced(stack.answer_to(prompt))
