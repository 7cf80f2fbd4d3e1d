"""Prompts of several people at once: the queue that everybody sees, taking back, and what can be done with a message."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.session_page import more_for, queue_of

SLOW = "script-slow@rate=40,tokens=100000"


@pytest.fixture
def session(olga: Person, tariq: Person, vera: Person) -> dict[str, Any]:
    return olga.make_session("For three", SLOW, editor=tariq, viewer=vera)


def test_everybody_sees_the_queue_and_who_queued_something_takes_it_back(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    for person in (olga, tariq, vera):
        person.go(session)
    olga.ask("The first of all")
    olga.sees_more_than(5)
    tariq.rest("POST", f"sessions/{session['id']}/messages", {"content": "Tariq's second"}, 202)
    olga.rest("POST", f"sessions/{session['id']}/messages", {"content": "Olga's third"}, 202)
    for person in (olga, tariq, vera):
        expect(queue_of(person)).to_have_text([re.compile("Tariq's second"), re.compile("Olga's third")])
    expect(vera.page.get_by_role("button", name=re.compile("Take back|Remove"))).to_have_count(0)
    tariq.photograph("queue")

    tariq.page.get_by_role("button", name=re.compile("Take back .Tariq's second")).click()
    for person in (olga, tariq, vera):
        expect(queue_of(person)).to_have_text([re.compile("Olga's third")])

    olga.stop_button.click()
    for person in (olga, tariq, vera):
        expect(queue_of(person)).to_have_count(0)
    olga.sees_more_than(3)
    olga.stop_button.click()
    olga.sees_end()
    said = [(each["role"], each["status"]) for each in olga.transcript(session)]
    answered = [("user", "complete"), ("assistant", "stopped")]
    assert said == [*answered, ("user", "stopped"), ("assistant", "stopped"), *answered]
    expect(vera.page.get_by_text("Taken back, and not told to the model")).to_have_count(1)


def test_a_prompt_is_asked_again_in_other_words_and_history_keeps_the_old_one(
    olga: Person, session: dict[str, Any]
) -> None:
    session = olga.make_session("In other words", "script-echo")
    page = olga.go(session)
    olga.ask("Say one")
    olga.sees_end()
    more_for(olga, 1)
    page.get_by_role("menuitem", name="Edit and ask again").click()
    field = page.get_by_role("textbox", name="Edit the message")
    expect(field).to_be_focused()
    field.fill("Say two")
    olga.photograph("edit-and-ask-again")
    field.press("Enter")
    expect(page.get_by_role("article", name="Answer")).to_have_count(2)
    olga.sees_end()
    assert [each["content"] for each in olga.transcript(session) if each["role"] == "user"] == ["Say one", "Say two"]


def test_a_new_session_begins_from_a_message_on(olga: Person) -> None:
    session = olga.make_session("The old one", "script-echo")
    page = olga.go(session)
    for prompt in ("Say one", "Say two"):
        olga.ask(prompt)
        expect(page.get_by_text(prompt, exact=True).first).to_be_visible()
        olga.sees_end()
    more_for(olga, 2)
    page.get_by_role("menuitem", name="Start a new session from here").click()
    page.wait_for_url(lambda url: session["id"] not in url)
    olga.sees_live()
    expect(page.get_by_role("article", name="You said")).to_have_count(1)
    expect(page.get_by_role("article", name="Answer")).to_have_count(1)
