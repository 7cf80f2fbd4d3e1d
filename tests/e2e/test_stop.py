"""Stopping an answer: who may, who sees it, and that the node really ends."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack

ENDLESS = "script-slow@rate=30,tokens=5000"


def test_another_member_stops_it_for_all_and_the_node_is_cancelled(olga: Person, tariq: Person, stack: Stack) -> None:
    session = olga.make_session("Stopped by another", ENDLESS, editor=tariq)
    olga.go(session)
    tariq.go(session)
    olga.ask("Talk without end, to be stopped")
    tariq.sees_more_than(30)
    tariq.stop_button.click()
    for person in (olga, tariq):
        person.sees_end()
        expect(person.answer).to_contain_text("Stopped by Tariq")
        expect(person.stop_button).to_have_count(0)
    olga.photograph("stopped")
    saved = olga.transcript(session)[-1]
    assert saved["status"] == "stopped"
    assert len(saved["content"].split()) > 30
    olga.page.reload()
    expect(olga.answer).to_contain_text(re.compile(r"Stopped by Tariq · \d+ tokens · \d+ tokens/s"))
    assert olga.answer_text() == tariq.answer_text() == single_spaced(saved["content"])
    assert stack.node.asked("Talk without end, to be stopped", settled=True)[-1]["state"] == "cancelled"


def test_a_viewer_watches_without_stop_and_is_told_why_they_cannot_write(olga: Person, vera: Person) -> None:
    session = olga.make_session("Watched", ENDLESS, viewer=vera)
    olga.go(session)
    vera.go(session)
    olga.ask("Talk while somebody watches")
    vera.sees_more_than(5)
    expect(vera.live_facts).to_be_visible()
    expect(vera.stop_button).to_have_count(0)
    expect(vera.composer).not_to_be_editable()
    expect(vera.page.get_by_text("You are watching as a viewer")).to_be_visible()
    vera.photograph("viewer")
    olga.stop_button.click()
    vera.sees_end()


def test_a_viewer_who_becomes_an_editor_can_write_at_once(olga: Person, vera: Person) -> None:
    session = olga.make_session("Promoted", "script-echo", viewer=vera)
    vera.go(session)
    expect(vera.composer).not_to_be_editable()
    page = olga.go(session)
    page.get_by_role("button", name="People (2)").click()
    page.get_by_label("Role of Vera").select_option("editor")
    expect(vera.composer).to_be_editable()
    vera.ask("Now I may")
    vera.sees_end()
    assert vera.answer_text() == "Now I may"
