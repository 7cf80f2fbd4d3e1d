"""What else an answer is made of: thinking, and tools that were called."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from hanzolive.nodes.scripted import expected_thoughts
from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack


@pytest.mark.parametrize("model", ["script-thoughts@rate=30,thoughts=120", "script-think-tags@rate=30,thoughts=120"])
def test_thoughts_are_open_while_it_thinks_and_fold_away(olga: Person, stack: Stack, model: str) -> None:
    prompt = f"Think with {model}"
    olga.go(olga.make_session("Thinking", model))
    olga.ask(prompt)
    thoughts = olga.answer.locator(".hl-thoughts-list")
    expect(olga.answer.get_by_role("button", name="Thinking")).to_have_attribute("aria-expanded", "true")
    expect(thoughts).to_be_visible()
    olga.photograph("thinking")
    olga.sees_end()
    expect(thoughts).to_have_count(0)
    assert olga.answer_text() == single_spaced(stack.answer_to(prompt))

    toggle = olga.answer.get_by_role("button", name="Thought")
    toggle.click()
    request = stack.node.asked(prompt)[-1]
    thought = single_spaced(expected_thoughts(model, request["messages"]))
    assert single_spaced(thoughts.inner_text()) == thought
    olga.photograph("thoughts")
    toggle.click()
    expect(thoughts).to_have_count(0)

    olga.page.reload()
    olga.answer.get_by_role("button", name="Thought").click()
    assert single_spaced(thoughts.inner_text()) == thought


def test_tool_calls_are_shown_with_their_arguments(olga: Person) -> None:
    olga.go(olga.make_session("Tools", "script-tools@rate=20"))
    olga.ask("Look it up")
    tools = olga.page.get_by_role("list", name="Tools used")
    expect(tools).to_contain_text("lookup")
    olga.sees_end()
    tools.locator("summary").click()
    expect(tools.locator("pre").first).to_contain_text('"query": "Look it up"')
    olga.photograph("tools")
    olga.page.reload()
    expect(tools).to_contain_text("lookup")


def test_a_member_approves_a_call_and_all_see_it(olga: Person, tariq: Person, vera: Person) -> None:
    session = olga.make_session("Approved", "script-tools@tool=delete_file", editor=tariq, viewer=vera)
    for person in (olga, tariq, vera):
        person.go(session)
    olga.ask("old-notes.txt")
    for person in (olga, tariq, vera):
        tools = person.page.get_by_role("list", name="Tools used")
        expect(tools).to_contain_text("Waits for approval")
        expect(tools).to_contain_text('"name": "old-notes.txt"')
    expect(olga.live_facts).to_contain_text("Waiting for somebody")
    olga.photograph("approval")
    expect(vera.page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    olga.page.reload()
    expect(olga.page.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    tariq.page.get_by_role("button", name="Approve", exact=True).click()
    for person in (olga, tariq, vera):
        person.sees_end()
        expect(person.answer).to_contain_text("Done, approved by Tariq")
        assert person.answer_text() == "The tool said: old-notes.txt is gone"
    expect(olga.page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)


def test_how_far_a_tool_is_is_shown_to_all_while_it_runs(olga: Person, vera: Person, tmp_path: Path) -> None:
    session = olga.make_session("Digging", "script-tools@tool=dig", viewer=vera)
    for person in (olga, vera):
        person.go(session)
    found = tmp_path / "found"
    olga.ask(str(found))
    for person in (olga, vera):
        tools = person.page.get_by_role("list", name="Tools used")
        expect(tools).to_contain_text("Layer 1 of 4")
        expect(tools.get_by_role("progressbar", name="How far the tool is")).to_have_attribute("value", "25")
        expect(tools).to_contain_text("25 %")
    expect(olga.live_facts).to_contain_text("Using a tool")
    olga.photograph("tool-progress")
    found.touch()
    for person in (olga, vera):
        person.sees_end()
        assert person.answer_text() == "The tool said: a coin"
        expect(person.page.get_by_role("progressbar", name="How far the tool is")).to_have_count(0)


def test_a_denied_call_does_not_run_and_the_answer_goes_on(olga: Person) -> None:
    olga.go(olga.make_session("Denied", "script-tools@tool=delete_file"))
    olga.ask("kept.txt")
    olga.page.get_by_role("button", name="Deny", exact=True).click()
    olga.sees_end()
    expect(olga.answer).to_contain_text("Denied by Olga")
    assert olga.answer_text() == "The tool said: Error: This call was denied by Olga."


def test_a_tool_that_fails_is_shown_and_the_answer_goes_on(olga: Person) -> None:
    olga.go(olga.make_session("Failing", "script-tools@tool=break_down"))
    olga.ask("bread")
    olga.sees_end()
    tools = olga.page.get_by_role("list", name="Tools used")
    expect(tools).to_contain_text("Failed")
    tools.locator("summary").click()
    expect(tools).to_contain_text("The tool failed: the shelf with bread is empty")
    assert olga.answer_text() == "The tool said: Error: The tool failed: the shelf with bread is empty"
