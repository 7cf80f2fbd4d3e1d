"""Who is here and what they do, as the others see it: with faces, a list, a line of words, and in time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.cable import Cable, cable_to
from tests.e2e.person import Person, path_of
from tests.e2e.session_page import faces, typing_line
from tests.e2e.stack import Stack

NETWORK = r"WebSocket connection to .* failed|net::ERR_"
# Less than a person is waited for whose connection was cut.
AT_ONCE_MS = 3_500
# From now on, remembers whether a page ever showed fewer people than now.
WATCH_FACES = """() => {
    const count = () => document.querySelectorAll('.hl-here-button .hl-face').length;
    window.fewest = count();
    new MutationObserver(() => { window.fewest = Math.min(window.fewest, count()); })
        .observe(document.querySelector('.session-head'), { childList: true, subtree: true });
}"""
SAY_HIDDEN = """(state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def session(olga: Person, tariq: Person, vera: Person) -> dict[str, Any]:
    made = olga.make_session("Who is here", "script-slow@rate=20,tokens=60", editor=tariq, viewer=vera)
    for person in (olga, tariq, vera):
        person.go(made)
    return made


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    with cable_to(stack.url) as cable:
        yield cable


def test_all_see_who_is_here_and_a_page_that_is_closed_is_gone_at_once(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq, Vera and you")
    faces(olga).click()
    listed = olga.page.get_by_role("listitem").filter(has_text="Vera")
    expect(listed).to_contain_text("here")
    olga.photograph("here-now")
    olga.page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    expect(faces(olga)).to_be_focused()
    vera.page.close()
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq and you", timeout=AT_ONCE_MS)
    tariq.page.goto("/")
    expect(faces(olga)).to_have_accessible_name("Here now: you", timeout=AT_ONCE_MS)
    tariq.page.go_back()
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq and you")


def test_several_tabs_are_one_person_who_is_active_where_one_of_them_is(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    second = tariq.context.new_page()
    second.goto(path_of(session))
    expect(second.locator("header .pill")).to_have_text("Live")
    tariq.page.evaluate(SAY_HIDDEN, "hidden")
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq, Vera and you")
    second.evaluate(SAY_HIDDEN, "hidden")
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq (idle), Vera and you")
    tariq.page.evaluate(SAY_HIDDEN, "visible")
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq, Vera and you")
    tariq.page.close()
    expect(faces(olga)).to_have_accessible_name("Here now: Tariq (idle), Vera and you")
    second.close()
    expect(faces(olga)).to_have_accessible_name("Here now: Vera and you", timeout=AT_ONCE_MS)


def test_a_line_says_who_types_and_who_asks_and_nothing_moves(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    before = vera.composer.bounding_box()
    tariq.composer.press_sequentially("To")
    expect(typing_line(vera)).to_have_text("Tariq is typing")
    expect(typing_line(tariq)).to_have_count(0)
    expect(olga.composer).to_have_value("To")
    olga.composer.press("End")
    olga.composer.press_sequentially("gether")
    expect(typing_line(vera)).to_have_text(re.compile("Tariq and Olga are typing|Olga and Tariq are typing"))
    assert vera.composer.bounding_box() == before
    vera.photograph("typing")
    olga.composer.press("Enter")
    expect(typing_line(vera)).to_have_text(re.compile("Olga is asking the model"))
    expect(vera.page.locator(".hl-typing-line [aria-live=polite]")).to_have_text(re.compile("Olga is asking the model"))
    vera.sees_end()
    expect(typing_line(vera)).to_have_count(0)


def test_a_connection_that_is_back_soon_makes_nobody_blink(
    olga: Person, tariq: Person, session: dict[str, Any], cable: Cable, arrive: Callable[..., Person]
) -> None:
    rider = arrive("Tariq", url=cable.url)
    rider.expect_problem(NETWORK)
    rider.expect_problem("list of models cannot be had")  # it may be on its way when the cable is pulled
    tariq.page.close()
    page = rider.go(session)
    for person in (olga, rider):
        expect(person.page.locator(".hl-here-button .hl-face")).to_have_count(3)
        person.page.evaluate(WATCH_FACES)
    cable.pull()
    expect(rider.connection).to_have_text(re.compile("Reconnecting"))
    cable.put_in()
    rider.sees_live()
    rider.composer.press_sequentially("Back")
    expect(typing_line(olga)).to_have_text("Tariq is typing")
    assert olga.page.evaluate("() => window.fewest") == 3
    assert page.evaluate("() => window.fewest") == 3


def test_who_is_removed_is_gone_for_all_at_once(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    olga.rest("DELETE", f"sessions/{session['id']}/members/{tariq.rest('GET', 'me')['id']}", status=204)
    expect(tariq.page.get_by_role("heading", name="Access ended")).to_be_visible()
    for person in (olga, vera):
        expect(faces(person)).not_to_have_accessible_name(re.compile("Tariq"), timeout=AT_ONCE_MS)
