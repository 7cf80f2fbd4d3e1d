"""Takes the pictures of README and `docs/` anew: `.venv/bin/python scripts/screenshots.py` from the repository's root.

Nothing on them is arranged: a server as `make run` starts it, three people in browsers, and what its small real model
says. The model is asked with a seed, so that its words stay much the same.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect

from tests.cli.processes import hanzo_live, serving
from tests.e2e.chromium import chromium
from tests.e2e.person import PASSWORD, Person
from tests.e2e.session_page import carets, people, pointers, points_at

PICTURES = Path(__file__).parents[1] / "docs" / "images"
MOST_BYTES = 150_000
PATIENCE_MS = 60_000
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}

FIRST = "Write a Python function that reverses a string, and explain it in two sentences."
SECOND = "Thanks! Now write a long story about a lighthouse keeper, with many details."
THIRD = "And now write a long story about a baker who cannot sleep, with many details."
ENOUGH_WORDS = 30
OTHERS = {
    "Release notes for 2.0": "What belongs into release notes?",
    "Names for the new office": "We need five names for the new office. Trees, if possible.",
    "Questions for the interview on Thursday": "Which three questions tell the most about how somebody works?",
    "Reading list": "Which chapters do we read first?",
}


def main() -> int:
    expect.set_options(timeout=PATIENCE_MS)
    with TemporaryDirectory() as place, chromium() as browser:
        folder = Path(place)
        with serving(folder / "data", folder / "output") as serve:
            made = hanzo_live(
                "user", "create", "Ada", "--email", "ada@example.com", "--password", PASSWORD, "--admin",
                "--data-dir", str(serve.data),
            )  # fmt: skip
            assert made.returncode == 0, made.stderr
            take(browser, serve.url)
    sizes = {path.name: path.stat().st_size for path in sorted(PICTURES.glob("*.png"))}
    for name, size in sizes.items():
        print(f"{name}: {size} bytes")
    return 0 if max(sizes.values()) <= MOST_BYTES else 1


def take(browser: Browser, url: str) -> None:
    ada = visitor(browser, url, "Ada")
    ada.page.goto("/accounts/login/")
    expect(ada.page.get_by_role("heading", level=1)).to_be_visible()
    keep(ada, "sign-in")
    sign_in(ada)
    grace, linus = visitor(browser, url, "Grace"), visitor(browser, url, "Linus")
    for person in (grace, linus):
        person.sign_up()
    session = fill_list(ada, grace, linus)
    take_session(ada, grace, linus, session)
    take_people(ada, session)
    take_list(ada)
    take_phone(browser, url, session)
    take_admin(ada, session)


def fill_list(ada: Person, grace: Person, linus: Person) -> dict[str, Any]:
    """Sessions that others have said something in; the last of them is the one of the pictures."""
    for title, said in OTHERS.items():
        session = ada.rest("POST", "sessions", {"title": title}, 201)
        invite(ada, session, grace)
        grace.rest("POST", f"sessions/{session['id']}/messages", {"content": said, "reply": False}, 202)
        if title == "Reading list":
            ada.rest("POST", f"sessions/{session['id']}/read", {"n": 1})
    session = ada.rest("POST", "sessions", {"title": "Learning Python together"}, 201)
    invite(ada, session, grace)
    invite(ada, session, linus)
    made: dict[str, Any] = session
    return made


def take_session(ada: Person, grace: Person, linus: Person, session: dict[str, Any]) -> None:
    """An answer that is there, one being written, and three people at the next question."""
    for person in (ada, grace, linus):
        person.go(session)
    say(grace, session, FIRST)
    ada.sees_end()
    for theme, question in (("dark", SECOND), ("light", THIRD)):
        grace.composer.fill("And what does the sea")
        expect(linus.composer).to_have_value("And what does the sea")
        linus.composer.press("End")
        linus.composer.press_sequentially(" say?")
        show(ada, theme)
        say(ada, session, question)
        ada.sees_more_than(1)
        points_at(linus, linus.page.locator(".answer").last.locator(".answer-head"), 0.5, 0.9)
        expect(carets(ada)).to_have_count(2)
        expect(pointers(ada)).to_have_count(1)
        ada.sees_more_than(ENOUGH_WORDS)
        picture = photograph(ada)
        ada.sees_more_than(ENOUGH_WORDS)  # else it was finished before the picture was taken
        save(picture, "session" if theme == "dark" else "session-light")
        ada.sees_end()
        grace.composer.fill("")
    show(ada, "dark")


def take_people(ada: Person, session: dict[str, Any]) -> None:
    for invited in ({"email": "margaret@example.com", "role": "editor"}, {"role": "viewer", "max_uses": 5}):
        ada.rest("POST", f"sessions/{session['id']}/invitations", invited, 201)
    dialog = people(ada)
    expect(dialog.get_by_text("margaret@example.com").first).to_be_visible()
    keep(ada, "people")


def take_list(ada: Person) -> None:
    page = ada.page
    page.goto("/")
    show(ada, "dark")
    expect(page.get_by_role("link", name="Learning Python together")).to_be_visible()
    keep(ada, "sessions")
    page.get_by_role("searchbox").fill("name")
    expect(page.locator("mark").first).to_be_visible()
    keep(ada, "search")


def take_phone(browser: Browser, url: str, session: dict[str, Any]) -> None:
    ada = visitor(browser, url, "Ada", PHONE)
    ada.page.goto("/accounts/login/")
    sign_in(ada)
    ada.go(session)
    expect(ada.answer).to_be_visible()
    keep(ada, "phone")


def take_admin(ada: Person, session: dict[str, Any]) -> None:
    page = ada.page
    page.add_init_script("localStorage.setItem('adminTheme', '\"dark\"')")
    # Something that runs, for the figures to show.
    ada.rest("POST", f"sessions/{session['id']}/messages", {"content": SECOND, "max_tokens": 400}, 202)
    page.goto("/admin/")
    page.wait_for_function("() => Number(document.querySelector('[data-figure=speed]').textContent) > 0")
    keep(ada, "admin-dashboard")
    page.goto("/admin/live_sessions/livesession/")
    expect(page.get_by_role("link", name="Learning Python together")).to_be_visible()
    keep(ada, "admin-sessions")
    page.goto(f"/admin/live_sessions/livesession/{session['id']}/transcript/")
    expect(page.get_by_text(FIRST).first).to_be_visible()
    keep(ada, "admin-transcript")


def visitor(browser: Browser, url: str, name: str, size: ViewportSize = DESK) -> Person:
    context = browser.new_context(base_url=url, viewport=size, color_scheme="dark")
    context.set_default_timeout(PATIENCE_MS)
    return Person(name, f"{name.lower()}@example.com", context)


def sign_in(person: Person) -> None:
    person.page.get_by_label("E-mail").fill(person.email)
    person.page.get_by_label("Password").fill(PASSWORD)
    person.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(person.page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()


def invite(owner: Person, session: dict[str, Any], other: Person) -> None:
    owner.rest("POST", f"sessions/{session['id']}/members", {"email": other.email, "role": "editor"}, 201)


def say(person: Person, session: dict[str, Any], content: str) -> None:
    answers = person.page.get_by_role("article", name="Answer")
    before = answers.count()
    body = {"content": content, "temperature": 0.8, "seed": 7, "max_tokens": 260}
    person.rest("POST", f"sessions/{session['id']}/messages", body, 202)
    expect(answers).to_have_count(before + 1)


def show(person: Person, theme: str) -> None:
    """Pages follow the system's theme until somebody chooses one."""
    person.page.emulate_media(color_scheme="light" if theme == "light" else "dark")


def keep(person: Person, name: str) -> None:
    save(photograph(person), name)


def photograph(person: Person) -> bytes:
    return person.page.screenshot(animations="disabled")


def save(png: bytes, name: str) -> None:
    """Writes the picture with a palette: a third of the bytes, and the same to the eye."""
    PICTURES.mkdir(exist_ok=True)
    drawn = Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    drawn.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
