"""Text that would like to be a program: in a prompt, and in an answer, it stays text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person

MARK = "window.ran = true"
HOSTILE = {
    "script": f"<script>{MARK}</script> after",
    "image": f'<img src=x onerror="{MARK}"> after',
    "svg": f'<svg><script>{MARK}</script><a xlink:href="javascript:{MARK}">x</a></svg> after',
    "frame": f'<iframe srcdoc="<script>parent.{MARK}</script>"></iframe> after',
    "link": f"[a link](javascript:{MARK.replace(' ', '')}) and <javascript:{MARK.replace(' ', '')}> after",
    "data": f"[data](data:text/html,<script>{MARK}</script>) after",
    "picture": "![a picture](https://tracker.example/x.png) after",
    "form": '<form action="https://evil.example"><button>Sign in again</button></form> after',
    "style": "<style>body { display: none }</style><div onclick=\"window.ran = true\" style='position:fixed;inset:0'>over</div> after",
    "template": "{{ constructor.constructor('window.ran = true')() }} ${window.ran = true} after",
    "markdown": f"# <b onmouseover='{MARK}'>bold</b>\n\n> <details open ontoggle='{MARK}'>\n\n- <input autofocus onfocus='{MARK}'>\n\nafter",
}
FOREIGN = ".prompt-text *, .hl-prose :is(script, style, svg, iframe, img, form, input, button, details, object, embed)"
ADDRESSES = "() => [...document.querySelectorAll('.messages a')].map((link) => link.href)"
HANDLERS = """() => [...document.querySelectorAll('.messages *')]
    .flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith('on'))"""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_neither_a_prompt_nor_an_answer_runs(olga: Person, text: str) -> None:
    page = olga.go(olga.make_session("Hostile", "script-echo"))
    olga.ask(text)
    olga.sees_end()
    expect(olga.answer).to_contain_text("after")
    expect(page.get_by_role("article", name="You said")).to_contain_text(text.split("\n")[0])
    assert page.evaluate("() => window.ran") is None
    assert page.evaluate(HANDLERS) == []
    assert all(address.startswith(("https://", "http://", "mailto:")) for address in page.evaluate(ADDRESSES))
    expect(page.locator(FOREIGN)).to_have_count(0)
    page.reload()
    expect(olga.answer).to_contain_text("after")
    assert page.evaluate("() => window.ran") is None


@pytest.mark.parametrize("width", [1200, 360])
def test_a_word_that_does_not_end_makes_nothing_scroll_sideways(olga: Person, width: int) -> None:
    word = "endless" * 1429
    olga.page.set_viewport_size({"width": width, "height": 740})
    olga.go(olga.make_session("W" * 200, "script-echo"))
    olga.ask(word)
    olga.sees_end()
    assert olga.answer_text() == word
    olga.sees_no_sideways_scrolling()
    olga.photograph(f"endless-word-{width}")
    olga.page.goto("/")
    expect(olga.page.get_by_role("link", name="WWWW").first).to_be_visible()
    olga.sees_no_sideways_scrolling()


def test_a_hostile_title_stays_text(olga: Person) -> None:
    title = f"<script>{MARK}</script></title><img src=x onerror='{MARK}'>"
    page = olga.go(olga.make_session(title, "script-echo"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    expect(page).to_have_title(f"{title} · Hanzo Live")
    page.goto("/")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    assert page.evaluate("() => window.ran") is None
