"""What else an answer is made of: thinking, and tools that were called."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from hanzolive.nodes.scripted import expected_thoughts
from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack


@pytest.mark.parametrize("model", ["script-thoughts@rate=30", "script-think-tags@rate=30"])
def test_thoughts_are_open_while_it_thinks_and_fold_away(olga: Person, stack: Stack, model: str) -> None:
    prompt = f"Think with {model}"
    olga.go(olga.make_session("Thinking", model))
    olga.ask(prompt)
    thoughts = olga.answer.locator(".thoughts-list")
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
