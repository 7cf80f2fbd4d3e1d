"""For those who asked for less motion, and those who listen: nothing moves by itself, no token is read by itself."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.session_page import typing_line

ENDLESS = "script-slow@rate=30,tokens=5000"
SHORT = "script-slow@rate=30,tokens=60"
MOVES = """(expected) => {
    const moving = document.getAnimations()
        .filter((each) => each.playState === 'running' && each.effect.getComputedTiming().duration > 0);
    const isTold = document.querySelector('.hl-typing-dots')?.checkVisibility() ?? false;
    return isTold && (moving.length > 0) === expected;
}"""
# Everything that a screen reader says without being asked.
HEAR = """() => {
    window.heard = [];
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const element = target instanceof Element ? target : target.parentElement;
            const region = element?.closest('[aria-live]:not([aria-live=off]), [role=status], [role=log], [role=alert]');
            if (region?.textContent) window.heard.push(region.textContent);
        }
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


def test_nothing_moves_for_those_who_asked_for_less_motion(olga: Person, tariq: Person) -> None:
    session = olga.make_session("Without motion", ENDLESS, editor=tariq)
    olga.go(session)
    page = tariq.go(session)
    olga.ask("Write on")
    tariq.sees_more_than(3)
    olga.composer.press_sequentially("And then ", delay=20)
    expect(typing_line(tariq)).to_contain_text("Olga")
    page.wait_for_function(MOVES, arg=True)
    page.emulate_media(reduced_motion="reduce")
    olga.composer.press_sequentially("something else", delay=20)
    page.wait_for_function(MOVES, arg=False)
    tariq.photograph("less-motion")


def test_an_answer_is_read_once_when_it_is_whole(olga: Person) -> None:
    page = olga.go(olga.make_session("Listened to", SHORT))
    page.evaluate(HEAR)
    olga.ask("Tell me")
    olga.sees_more_than(20)
    assert page.evaluate("() => window.heard") == []
    olga.sees_end()
    page.wait_for_function("() => window.heard.length > 0")
    [heard] = page.evaluate("() => window.heard")
    assert single_spaced(heard) == f"Answer: {olga.answer_text()}"
