"""What a session's page shows somebody and what they do there, where tests of several subjects need it.

What every test needs is on `Person`.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.person import Person


def people(person: Person) -> Locator:
    """Their open dialog of members."""
    dialog = person.page.get_by_role("dialog", name="People")
    if dialog.count() == 0:
        person.page.get_by_role("button", name=re.compile(r"^People \(\d+\)$")).click()
    expect(dialog).to_be_visible()
    return dialog


def row(person: Person, name: str) -> Locator:
    """Whoever has that name, in their dialog of members."""
    return people(person).get_by_role("listitem").filter(has_text=name)


def choose(person: Person, command: str) -> None:
    """From the menu of the session's page."""
    person.page.get_by_role("button", name="Session menu").click()
    person.page.get_by_role("menuitem", name=command).click()


def settings(person: Person) -> Locator:
    """The dialog in which an owner changes the session."""
    choose(person, "Settings")
    dialog = person.page.get_by_role("dialog", name="Settings")
    expect(dialog).to_be_visible()
    return dialog


def faces(person: Person) -> Locator:
    """Who is here, in the head of the page."""
    return person.page.get_by_role("button", name="Here now")


def typing_line(person: Person) -> Locator:
    return person.page.locator(".hl-typing-words")


def carets(person: Person) -> Locator:
    """The others' in the draft."""
    return person.page.locator(".hl-remote-caret")


def pointers(person: Person) -> Locator:
    """The others' in the conversation."""
    return person.page.locator(".hl-remote-pointer")


def points_at(person: Person, target: Locator, x: float, y: float) -> None:
    """Moves the mouse to a place within `target`, in parts of its size."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box
    person.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)


def queue_of(person: Person) -> Locator:
    """What waits behind the answer being written."""
    return person.page.locator(".queue").get_by_role("listitem")


def more_for(person: Person, n: int) -> None:
    """Opens the menu of message `n`."""
    button = person.page.get_by_role("button", name=f"More for message {n}", exact=True)
    button.hover()
    button.click()


def press_send_at_once(*people: Person) -> None:
    """All of them, within moments."""
    # Not pressed by playwright: one would wait for the other.
    press = "() => { setTimeout(() => document.querySelector('.hl-send-button').click(), 300) }"
    for person in people:
        person.page.evaluate(press)
