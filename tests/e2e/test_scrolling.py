"""Reading back in a long session: what one reads stays where it is, whatever comes above it and below."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e.person import Person

COUNT = 500
ENDLESS = "script-slow@rate=60,tokens=100000"
# How far message `n` begins below the list's upper edge.
OFFSET = """(n) => {
    const top = (selector) => document.querySelector(selector).getBoundingClientRect().top;
    return top(`#m-${n}`) - top('main');
}"""
# Notes where message `n` is whenever the conversation's height changes. Such observers are called in the order in which
# they were made and before anything is painted: it notes what is seen, after the page has put things in their place.
NOTE_OFFSETS = f"""(n) => {{
    window.offsets = [];
    window.noting?.disconnect();
    window.noting = new ResizeObserver(() => window.offsets.push(({OFFSET})(n)));
    window.noting.observe(document.querySelector('.messages'));
}}"""
FIRST_SHOWN = """() => {
    const edge = document.querySelector('main').getBoundingClientRect().top;
    const messages = [...document.querySelectorAll('main article[id]')];
    return Number(messages.find((message) => message.getBoundingClientRect().bottom > edge).id.slice(2));
}"""
SCROLL_UP = "() => { document.querySelector('main').scrollTop -= 1500; }"
SCROLL_TO = "(top) => { document.querySelector('main').scrollTop = top; }"


class Reading:
    """What somebody reads: the first message that shows, and where it was on the page since then."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._n: int = page.evaluate(FIRST_SHOWN)
        self._offset: float = page.evaluate(OFFSET, self._n)
        page.evaluate(NOTE_OFFSETS, self._n)

    def has_stayed(self) -> None:
        offsets = self._page.evaluate("() => window.offsets")
        assert len(offsets) > 1, "nothing has grown"
        offsets.append(self._page.evaluate(OFFSET, self._n))
        assert [offset for offset in offsets if abs(offset - self._offset) > 1] == []


class Gate:
    """Holds requests for older messages until they are let through."""

    def __init__(self, page: Page) -> None:
        self._held: list[Route] = []
        self._is_open = False
        page.route("**/messages?*", self._come)

    def close(self) -> None:
        self._is_open = False

    def open(self) -> None:
        self._is_open = True
        while self._held:
            self._held.pop().continue_()

    def _come(self, route: Route) -> None:
        if self._is_open:
            route.continue_()
        else:
            self._held.append(route)


def test_what_one_reads_stays_in_its_place_while_tokens_come_and_older_messages_load(
    arrive: Callable[..., Person],
) -> None:
    walter, wilma = arrive("Walter"), arrive("Wilma")
    session = walter.make_session("A long story", ENDLESS, editor=wilma)
    for number in range(1, COUNT + 1):
        teller = (walter, wilma)[number % 2]
        said = {"content": f"Part {number}. " + "And so it went on. " * (number % 13), "reply": False}
        teller.rest("POST", f"sessions/{session['id']}/messages", said, 202)
    wilma.go(session)
    page = walter.go(session)
    wilma.ask("How does it end?")
    walter.sees_more_than(5)
    expect(walter.answer).to_be_in_viewport()

    # Tokens come below, and he reads what he went up to.
    page.evaluate(SCROLL_UP)
    expect(page.get_by_role("button", name="jump to latest")).to_be_visible()
    reading = Reading(page)
    walter.sees_more_than(walter.words() + 60)
    reading.has_stayed()

    # Older messages come above, from the middle of the list and from its very beginning; tokens do not cease.
    gate = Gate(page)
    for step in range(COUNT):
        if (oldest := oldest_of(page)) == 1:
            break
        gate.close()
        page.evaluate(SCROLL_TO, (0, 250)[step % 2])
        expect(page.get_by_text("Loading older messages")).to_be_visible()
        reading = Reading(page)
        walter.sees_more_than(walter.words() + 5)
        gate.open()
        page.wait_for_function("(n) => document.getElementById(`m-${n}`) !== null", arg=oldest - 1)
        expect(page.get_by_text("Loading older messages")).to_have_count(0)
        reading.has_stayed()
    expect(page.locator("main article[id]")).to_have_count(COUNT + 2)
    page.get_by_role("button", name="jump to latest").click()
    expect(walter.answer.locator(".hl-prose > :last-child")).to_be_in_viewport()
    walter.stop_button.click()
    walter.sees_end()


def oldest_of(page: Page) -> int:
    return int((page.locator("main article[id]").first.get_attribute("id") or "").removeprefix("m-"))
