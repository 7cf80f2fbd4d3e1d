"""Without a pointer, and for those who do not see the page: order, focus, names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.person import Person

ENDLESS = "script-slow@rate=30,tokens=5000"
# What has the focus, by the name that a screen reader says, and whether one can see that it does.
FOCUSED = """() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const around = element.closest('.hl-composer-box');
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    const marked = around !== null && getComputedStyle(around).borderColor !== getComputedStyle(document.querySelector('.session-head')).borderBottomColor;
    const box = element.getBoundingClientRect();
    return {
        name: element.getAttribute('aria-label') ?? element.innerText?.trim() ?? '',
        visible: (outlined || marked) && box.bottom > 0 && box.right > 0,
    };
}"""
NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, textarea, summary')]
    .filter((element) => element.checkVisibility() && element.type !== 'hidden')
    .filter((element) => !(element.getAttribute('aria-label') || element.labels?.length || element.innerText?.trim()
        || document.getElementById(element.getAttribute('aria-labelledby'))))
    .map((element) => element.outerHTML)"""
UNTOLD = """() => [...document.querySelectorAll('img:not([alt]), svg:not([aria-hidden="true"]):not([role="img"])')]
    .map((element) => element.outerHTML)"""
DOUBLE_IDS = """() => [...document.querySelectorAll('[id]')].map(({ id }) => id)
    .filter((id, index, all) => all.indexOf(id) !== index)"""


def tab_order(page: Page, last: str) -> list[str]:
    """The names of what Tab reaches from the top of the page on, up to `last`. Fails on a focus that cannot be seen."""
    page.locator(".skip-link").focus()
    names: list[str] = []
    while last not in names:
        assert len(names) < 30, f"Tab does not reach {last}: {names}"
        page.keyboard.press("Tab")
        # A border takes a moment to change its colour.
        page.wait_for_function(f"() => ({FOCUSED})().visible")
        names.append(page.evaluate(FOCUSED)["name"].split("\n")[0])
    return names


def test_tab_goes_through_the_page_in_its_order_with_the_focus_always_visible(olga: Person) -> None:
    page = olga.go(olga.make_session("By keyboard", ENDLESS))
    olga.ask("Begin")
    olga.sees_more_than(3)
    names = tab_order(page, "Message")
    stop = next(name for name in names if name.startswith("Stop"))
    places = [names.index(name) for name in ("All sessions", "People (1)", stop, "Message")]
    assert places == sorted(places)


def press_until_at(target: Locator, key: str = "Tab") -> None:
    """Presses `key` until `target` has the focus. Fails where that does not come."""
    for _ in range(40):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        target.page.keyboard.press(key)
    expect(target).to_be_focused()


def test_from_the_list_to_a_question_that_was_edited_no_pointer_is_needed(olga: Person) -> None:
    olga.make_session("Made before", "script-echo")
    page = olga.page
    keys = page.keyboard
    page.goto("/")
    create = page.get_by_role("button", name="New session")
    expect(create).to_be_visible()
    press_until_at(create)
    keys.press("Enter")
    dialog = page.get_by_role("dialog", name="New session")
    press_until_at(dialog.get_by_label("Title"))
    keys.type("Made by hand")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Made by hand")
    olga.sees_live()
    press_until_at(olga.composer)
    keys.type("Who goes there?")
    keys.press("Enter")
    olga.sees_end()

    press_until_at(page.get_by_role("button", name="More for message 1", exact=True), "Shift+Tab")
    keys.press("Enter")
    expect(page.get_by_role("menuitem", name="Edit and ask again")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("textbox", name="Edit the message")).to_be_focused()
    keys.type(" And from where?")
    keys.press("Enter")
    expect(page.get_by_role("article", name="Answer")).to_have_count(2)
    olga.sees_end()
    expect(page.locator("#m-1")).to_be_focused()
    messages = olga.rest("GET", f"sessions/{page.url.rsplit('/', 1)[-1]}/messages")["results"]
    asked = [message["content"] for message in messages if message["role"] == "user"]
    assert asked == ["Who goes there?", "Who goes there? And from where?"]


def test_escape_in_the_message_field_stops_the_answer(olga: Person) -> None:
    page = olga.go(olga.make_session("By keyboard", ENDLESS))
    olga.ask("Begin")
    olga.sees_more_than(3)
    expect(olga.composer).to_be_focused()
    page.keyboard.press("Escape")
    olga.sees_end()
    expect(olga.answer).to_contain_text("Stopped by Olga")
    expect(olga.composer).to_be_focused()


def test_the_skip_link_goes_to_the_message_field(olga: Person) -> None:
    page = olga.go(olga.make_session("Skipped", "script-echo"))
    page.get_by_role("link", name="All sessions").focus()
    page.keyboard.press("Shift+Tab")
    skip = page.get_by_role("link", name="Skip to the message field")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.type("By hand")
    expect(olga.composer).to_have_value("By hand")


def test_shift_enter_begins_a_line_and_enter_sends(olga: Person) -> None:
    olga.go(olga.make_session("Lines", "script-echo"))
    olga.composer.press_sequentially("one")
    olga.composer.press("Shift+Enter")
    olga.composer.press_sequentially("two")
    expect(olga.composer).to_have_value("one\ntwo")
    olga.composer.press("Enter")
    expect(olga.composer).to_have_value("")
    olga.sees_end()
    assert olga.answer_text() == "one two"


def test_a_dialog_keeps_the_focus_and_gives_it_back(olga: Person) -> None:
    page = olga.go(olga.make_session("Dialog", "script-echo"))
    people = page.get_by_role("button", name="People (1)")
    people.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="People")
    expect(dialog).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(people).to_be_focused()


@pytest.mark.parametrize("path", ["/", "/accounts/signup/", "/accounts/login/"])
def test_everything_before_signing_in_has_a_name(arrive: Callable[..., Person], path: str) -> None:
    passer_by = arrive("Pascal", new=True)
    passer_by.page.goto(path)
    sees_only_what_is_named(passer_by.page)


def test_everything_in_a_session_has_a_name(olga: Person, tariq: Person) -> None:
    session = olga.make_session("Named", "script-tools", editor=tariq)
    page = olga.go(session)
    olga.ask("```js\nlet x\n```")
    olga.sees_end()
    page.get_by_role("button", name="People (2)").click()
    expect(page.get_by_role("dialog", name="People")).to_be_visible()
    sees_only_what_is_named(page)
    page.goto("/")
    expect(page.get_by_role("link", name="Named").first).to_be_visible()
    sees_only_what_is_named(page)


def sees_only_what_is_named(page: Page) -> None:
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(UNTOLD) == []
    assert page.evaluate(DOUBLE_IDS) == []
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.locator("main")).to_have_count(1)
