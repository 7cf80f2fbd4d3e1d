"""A phone's width: everything is there, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.person import Person

PHONE: ViewportSize = {"width": 360, "height": 740}
RICH = """# A heading

| one column | another column | a third column | a fourth column | and a fifth one |
|---|---|---|---|---|
| some text | some more text | even more text | still more text | the last of the text |

```python
print("a line of code that is far too long for a phone and has to scroll within its own block", 1, 2, 3)
```

1. first
2. second with `code` in it

https://example.com/an/address/that/is/long/enough/to/need/breaking/somewhere/in/the/middle/of/it/all
"""


@pytest.fixture
def pia(arrive: Callable[..., Person]) -> Person:
    return arrive("Pia", size=PHONE)


def test_the_list_and_its_form_fit(pia: Person) -> None:
    pia.make_session("A title that is rather longer than the width of a phone can show at once", "script-slow")
    pia.page.goto("/")
    expect(pia.page.get_by_role("link", name="A title").first).to_be_visible()
    pia.sees_no_sideways_scrolling()
    pia.photograph("phone-list")
    pia.page.get_by_role("button", name="New session").click()
    expect(pia.page.get_by_label("Title", exact=True)).to_be_focused()
    pia.sees_no_sideways_scrolling()
    pia.photograph("phone-new-session")


def test_a_session_with_rich_text_fits_and_one_can_write(pia: Person) -> None:
    pia.go(pia.make_session("On the way", "script-echo@rate=40"))
    pia.composer.fill(RICH)
    composer = pia.composer.bounding_box()
    assert composer
    assert composer["height"] < PHONE["height"] / 2
    pia.composer.press("Enter")
    expect(pia.stop_button).to_be_in_viewport(ratio=1)
    pia.photograph("phone-live")
    pia.sees_end()
    expect(pia.answer.get_by_role("table")).to_be_visible()
    expect(pia.composer).to_be_in_viewport(ratio=1)
    expect(pia.page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
    pia.sees_no_sideways_scrolling()
    pia.photograph("phone-session")


def test_the_people_dialog_fits(pia: Person, olga: Person) -> None:
    session = pia.make_session("Who is here", "script-echo", editor=olga)
    page = pia.go(session)
    page.get_by_role("button", name="People (2)").click()
    expect(page.get_by_role("dialog", name="People")).to_be_visible()
    expect(page.get_by_role("button", name="Remove Olga")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_in_viewport(ratio=1)
    pia.sees_no_sideways_scrolling()
    pia.photograph("phone-people")


@pytest.mark.parametrize("path", ["/", "/accounts/signup/", "/accounts/login/", "/nowhere"])
def test_the_pages_before_signing_in_fit(arrive: Callable[..., Person], path: str) -> None:
    passer_by = arrive("Pascal", new=True, size=PHONE)
    passer_by.expect_problem("404")
    passer_by.page.goto(path)
    expect(passer_by.page.get_by_role("heading", level=1)).to_be_visible()
    passer_by.sees_no_sideways_scrolling()
    passer_by.photograph(f"phone-{path.strip('/').replace('/', '-') or 'start'}")
