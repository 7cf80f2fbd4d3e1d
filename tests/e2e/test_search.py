"""Finding what was said, and going to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.e2e.person import Person

# How far the message is from the middle of the list, as a part of the list's height.
FROM_THE_MIDDLE = """(n) => {
    const list = document.querySelector('main').getBoundingClientRect();
    const message = document.getElementById(`m-${n}`).getBoundingClientRect();
    return Math.abs((message.top + message.bottom) / 2 - (list.top + list.bottom) / 2) / list.height;
}"""


def fill(person: Person, session: dict[str, Any], count: int, words: dict[int, str]) -> None:
    """Says `count` things; those with a number in `words` say that besides."""
    for n in range(1, count + 1):
        body = {"content": f"Message {n}. {words.get(n, 'Nothing special.')}", "reply": False}
        person.rest("POST", f"sessions/{session['id']}/messages", body, 202)


def test_searching_leads_to_the_message_among_older_ones(arrive: Callable[..., Person]) -> None:
    selma = arrive("Selma")
    session = selma.make_session("Birds", "script-echo")
    fill(selma, session, 130, {4: "🦩 Where do <b>cranes</b> winter?"})
    selma.make_session("Craning necks", "script-echo")
    page = selma.page
    page.goto("/")
    expect(page.get_by_role("link", name="Birds")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("cran")
    expect(page.get_by_role("status")).to_have_text("2 results")
    expect(page.locator("mark")).to_have_text(["Cran", "cran"])
    expect(page.locator(".found-list b")).to_have_count(0)
    selma.photograph("search")
    page.keyboard.type("es wint")
    expect(page.locator("mark")).to_have_text(["cranes", "wint"])
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Birds")).to_be_focused()
    page.keyboard.press("Enter")

    message = page.locator("#m-4")
    expect(message).to_be_in_viewport(ratio=1)
    expect(message).to_be_focused()
    expect(message).to_have_class("prompt prompt-mine linked")
    assert page.evaluate(FROM_THE_MIDDLE, 4) < 0.5
    expect(page.get_by_text("Message 130.")).not_to_be_in_viewport()
    selma.photograph("linked-message")

    page.go_back()
    expect(page.get_by_role("searchbox")).to_have_value("cranes wint")
    expect(page.get_by_role("status")).to_have_text("1 result")
    page.get_by_role("searchbox").press("Escape")
    expect(page.get_by_role("searchbox")).to_have_value("")
    expect(page.get_by_role("button", name="Archived")).to_be_visible()


def test_jumping_to_the_latest_takes_the_link_out_of_the_address(arrive: Callable[..., Person]) -> None:
    selma = arrive("Selma")
    session = selma.make_session("Longer", "script-echo")
    fill(selma, session, 40, {})
    page = selma.page
    page.goto(f"/s/{session['id']}#m-2")
    expect(page.locator("#m-2")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Jump to latest").click()
    expect(page.locator("#m-40")).to_be_in_viewport(ratio=1)
    assert "#" not in page.url
    expect(page.locator(".linked")).to_have_count(0)


def test_a_link_to_a_message_that_does_not_exist_says_so(olga: Person) -> None:
    session = olga.make_session("Short", "script-echo")
    fill(olga, session, 2, {})
    olga.page.goto(f"/s/{session['id']}#m-77")
    expect(olga.page.get_by_text("The message that the link names is not here.")).to_be_visible()


def test_nothing_found_and_nothing_to_search_for_are_said(olga: Person) -> None:
    olga.expect_problem("400")
    page = olga.page
    page.goto("/?q=zygomorphic")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    olga.photograph("nothing-found")
    page.get_by_role("searchbox").fill("?!")
    expect(page.get_by_role("alert")).to_contain_text("There is no word")


def test_nobody_finds_what_is_not_theirs(olga: Person, vera: Person) -> None:
    session = olga.make_session("Secrets", "script-echo")
    fill(olga, session, 1, {1: "The hippopotamus is called Hugo."})
    vera.page.goto("/?q=hippopotamus")
    expect(vera.page.get_by_role("heading", name="Nothing found")).to_be_visible()
    olga.page.goto("/?q=hippopotamus")
    expect(olga.page.get_by_role("link", name="Secrets")).to_be_visible()
