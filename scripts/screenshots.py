"""Takes the README's picture anew: `.venv/bin/python scripts/screenshots.py` from the root of the repository.

Nothing on it is arranged: a server as `make run` starts it, two people, and what its small real model says. The model
is asked without chance (temperature 0), so that the picture stays the same until the page or the model changes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, expect

from tests.cli.processes import serving
from tests.e2e.chromium import chromium
from tests.e2e.person import Person

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "session.png"
MOST_BYTES = 300_000
FIRST = "Write a Python function that reverses a string, and explain it in two sentences."
SECOND = "Thanks! Now something else: why is the sky blue?"
ENOUGH_WORDS = 38


def main() -> int:
    with TemporaryDirectory() as place, chromium() as browser:
        folder = Path(place)
        with serving(folder / "data", folder / "output") as serve:
            take(browser, serve.url)
    size = PICTURE.stat().st_size
    print(f"{PICTURE}: {size} bytes")
    return 0 if size <= MOST_BYTES else 1


def take(browser: Browser, url: str) -> None:
    """Two people in one session: an answer that is there, and one that is being written."""
    ada, grace = arrive(browser, url, "Ada"), arrive(browser, url, "Grace")
    session = ada.rest("POST", "sessions", {"title": "Learning Python together"}, 201)
    ada.rest("POST", f"sessions/{session['id']}/members", {"email": grace.email, "role": "editor"}, 201)
    ada.go(session)
    grace.go(session)
    say(grace, session, FIRST)
    ada.sees_end()
    say(ada, session, SECOND)
    expect(ada.page.get_by_role("article", name="Answer")).to_have_count(2)
    ada.sees_more_than(ENOUGH_WORDS)
    ada.page.screenshot(path=PICTURE, animations="disabled")
    ada.sees_more_than(ENOUGH_WORDS)  # else it was finished before the picture was taken


def arrive(browser: Browser, url: str, name: str) -> Person:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800}, color_scheme="dark")
    person = Person(name, f"{name.lower()}@example.com", context)
    person.sign_up()
    return person


def say(person: Person, session: dict[str, Any], content: str) -> None:
    body = {"content": content, "temperature": 0, "max_tokens": 400}
    person.rest("POST", f"sessions/{session['id']}/messages", body, 202)
    expect(person.page.get_by_role("article", name="said").last).to_contain_text(content)
    expect(person.page.get_by_role("article", name="Answer").last).to_be_visible()


if __name__ == "__main__":
    sys.exit(main())
