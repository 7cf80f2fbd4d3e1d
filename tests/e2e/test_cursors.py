"""Where the others are: their carets in the draft and what they point at, by name, on pages of any width."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.axe import problems
from tests.e2e.person import Person
from tests.e2e.session_page import carets, pointers, points_at

WRAPPED = "The quick brown fox jumps over the lazy dog and goes on to write a rather long message for everybody. " * 4
# How far the caret of another one, drawn here, is from where a character of the field's text really is: the same text,
# style and width, laid out by the browser in an element of its own.
CARET_OFF = """(index) => {
    const field = document.querySelector('#composer');
    const probe = document.createElement('div');
    const style = getComputedStyle(field);
    for (const name of ['font', 'padding', 'lineHeight', 'letterSpacing', 'overflowWrap', 'wordBreak', 'tabSize'])
        probe.style[name] = style[name];
    Object.assign(probe.style, { position: 'absolute', whiteSpace: 'pre-wrap', width: `${field.clientWidth}px` });
    probe.append(field.value.slice(0, index), document.createElement('b'), field.value.slice(index));
    field.parentElement.append(probe);
    const { left, top } = probe.querySelector('b').getBoundingClientRect();
    const origin = probe.getBoundingClientRect();
    const box = field.getBoundingClientRect();
    const caret = document.querySelector('.hl-remote-caret').getBoundingClientRect();
    probe.remove();
    return [
        caret.left - (box.left + left - origin.left),
        caret.top - (box.top + top - origin.top - field.scrollTop),
    ].map(Math.abs);
}"""
# Where the other one's pointer is within an element, in parts of its size.
WITHIN = """(element) => {
    const box = element.getBoundingClientRect();
    const mark = document.querySelector('.hl-remote-pointer').getBoundingClientRect();
    return [(mark.left - box.left) / box.width, (mark.top - box.top) / box.height];
}"""


@pytest.fixture
def session(olga: Person, tariq: Person, vera: Person) -> dict[str, Any]:
    made = olga.make_session("Point at it", "script-echo", editor=tariq, viewer=vera)
    for person in (olga, tariq, vera):
        person.go(made)
    return made


def sees_pointer_within(person: Person, target: Locator, x: float, y: float) -> None:
    handle = target.element_handle()
    is_near = f"([element, x, y]) => {{ const at = ({WITHIN})(element); return Math.abs(at[0] - x) < 0.03 && Math.abs(at[1] - y) < 0.1; }}"
    person.page.wait_for_function(
        f"(args) => document.querySelector('.hl-remote-pointer') !== null && ({is_near})(args)", arg=[handle, x, y]
    )


def test_a_caret_is_where_the_other_one_writes_through_wraps_and_edits(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    olga.composer.fill(WRAPPED)
    expect(tariq.composer).to_have_value(WRAPPED)
    olga.page.evaluate("() => document.querySelector('#composer').setSelectionRange(150, 150)")
    # Nobody else has touched the field, though the page gave them the focus.
    for person in (tariq, vera):
        expect(carets(person)).to_have_count(1)
        expect(carets(person)).to_contain_text("Olga")
        person.page.wait_for_function(f"() => ({CARET_OFF})(150).every((off) => off < 1.5)")
    tariq.photograph("caret")
    # It moves with the words before it.
    tariq.composer.press("Control+Home")
    tariq.composer.press_sequentially("Well, 😀 ")
    vera.page.wait_for_function(
        """() => [...document.querySelectorAll('.hl-remote-caret')].some((caret) => caret.textContent === 'Olga')
            && document.querySelector('#composer').value.startsWith('Well, 😀 ')"""
    )
    expect(carets(vera)).to_have_count(2)
    tariq.page.wait_for_function(f"() => ({CARET_OFF})(159).every((off) => off < 1.5)")
    olga.composer.press("Shift+Home")
    expect(tariq.page.locator(".hl-remote-selection").first).to_be_attached()
    tariq.photograph("selection")
    olga.composer.blur()
    expect(carets(tariq)).to_have_count(0)


def test_a_caret_is_not_shown_where_the_field_is_scrolled_away_from_it(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    lines = "\n".join(f"line {number}" for number in range(60))
    olga.composer.fill(lines)
    expect(tariq.composer).to_have_value(lines)
    expect(carets(tariq)).to_have_count(1)
    tariq.page.evaluate("() => { document.querySelector('#composer').scrollTop = 0; }")
    expect(carets(tariq)).to_be_hidden()
    tariq.page.evaluate("() => { const field = document.querySelector('#composer'); field.scrollTop = 1e6; }")
    expect(carets(tariq)).to_be_visible()
    tariq.page.wait_for_function(f"() => ({CARET_OFF})({len(lines)}).every((off) => off < 1.5)")


def test_a_pointer_is_at_the_same_words_on_a_phone_and_goes_with_the_mouse(
    olga: Person, vera: Person, session: dict[str, Any], arrive: Callable[..., Person]
) -> None:
    phone = arrive("Tariq", size={"width": 360, "height": 740})
    phone.go(session)
    olga.ask("A question that is long enough to need several lines on a phone but one or two on a desk. " * 2)
    olga.sees_end()
    phone.sees_end()
    points_at(olga, olga.answer.locator(".hl-prose"), 0.75, 0.5)
    for person in (vera, phone):
        expect(pointers(person)).to_contain_text("Olga")
        sees_pointer_within(person, person.answer.locator(".hl-prose"), 0.75, 0.5)
    phone.photograph("pointer-phone")
    vera.photograph("pointer")
    points_at(olga, olga.page.locator(".prompt-text"), 0.2, 0.5)
    for person in (vera, phone):
        sees_pointer_within(person, person.page.locator(".prompt-text"), 0.2, 0.5)
    phone.sees_no_sideways_scrolling()
    assert problems(vera.page) == []
    olga.page.mouse.move(600, 20)
    for person in (vera, phone):
        expect(pointers(person)).to_have_count(0)


def test_what_one_did_last_is_what_the_others_see(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    olga.ask("Something to point at")
    tariq.sees_end()
    olga.sees_end()
    target = olga.page.locator(".prompt-text")
    for step in range(40):
        points_at(olga, target, 0.1 + (step % 5) / 10, 0.2)
    points_at(olga, target, 0.9, 0.5)
    sees_pointer_within(tariq, tariq.page.locator(".prompt-text"), 0.9, 0.5)


def test_cursors_go_with_the_person(olga: Person, tariq: Person, vera: Person, session: dict[str, Any]) -> None:
    tariq.composer.fill("Mine")
    tariq.page.mouse.move(600, 300)
    for person in (olga, vera):
        expect(carets(person)).to_contain_text("Tariq")
        expect(pointers(person)).to_contain_text("Tariq")
    olga.rest("DELETE", f"sessions/{session['id']}/members/{tariq.rest('GET', 'me')['id']}", status=204)
    for person in (olga, vera):
        expect(carets(person)).to_have_count(0)
        expect(pointers(person)).to_have_count(0)
    vera.page.mouse.move(600, 300)
    expect(pointers(olga)).to_contain_text("Vera")
    vera.page.close()
    expect(pointers(olga)).to_have_count(0)


def test_screen_readers_hear_nothing_of_cursors(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    tariq.composer.fill("Mine")
    tariq.page.mouse.move(600, 300)
    expect(carets(olga)).to_have_count(1)
    expect(pointers(olga)).to_have_count(1)
    snapshot = olga.page.locator("body").aria_snapshot()
    assert len(re.findall("Tariq", snapshot)) <= 2, "in the list of faces, and typing"


@pytest.mark.parametrize("system", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 360])
def test_three_people_at_work_are_a_page_in_order(
    olga: Person, tariq: Person, arrive: Callable[..., Person], system: str, width: int
) -> None:
    session = olga.make_session("Three at work", "script-echo", editor=tariq)
    wanda = arrive("Wanda", system=system, size={"width": width, "height": 740})
    olga.rest("POST", f"sessions/{session['id']}/members", {"email": wanda.email, "role": "editor"}, 201)
    # Of what moves without an end, axe would wait for the end.
    wanda.page.emulate_media(reduced_motion="reduce")
    for person in (olga, tariq, wanda):
        person.go(session)
    olga.ask("Compare the two plans, and say in a few words which one of them costs less")
    for person in (tariq, wanda):
        person.sees_end()
    olga.composer.press_sequentially("And what would ")
    expect(tariq.composer).to_have_value("And what would ")
    tariq.composer.press("End")
    tariq.composer.press_sequentially("a third one cost?")
    points_at(tariq, tariq.answer.locator(".hl-prose"), 0.3, 0.5)
    expect(wanda.composer).to_have_value("And what would a third one cost?")
    expect(carets(wanda)).to_have_count(2)
    sees_pointer_within(wanda, wanda.answer.locator(".hl-prose"), 0.3, 0.5)
    colours = carets(wanda).evaluate_all("(all) => all.map((caret) => getComputedStyle(caret).backgroundColor)")
    assert len(set(colours)) == 2
    wanda.photograph(f"three-{system}-{width}")
    wanda.sees_no_sideways_scrolling()
    assert problems(wanda.page) == []
