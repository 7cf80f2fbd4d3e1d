"""A person at a browser, in the words of the page: what they do there, what they see, and what the console says."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Error, Locator, Page, WebError, expect

from tests.e2e.chromium import PICTURES

PASSWORD = "correct horse battery staple"

# The last answer's text. `innerText`, for it keeps paragraphs apart.
LAST_ANSWER = "[...document.querySelectorAll('.answer')].at(-1)?.querySelector('.hl-prose')?.innerText ?? ''"
COUNT_WORDS = f"() => ({LAST_ANSWER}).split(/\\s+/).filter(Boolean).length"
IS_WRITTEN_BEYOND = f"""(count) =>
    document.querySelector('.hl-prose-growing') && ({LAST_ANSWER}).split(/\\s+/).filter(Boolean).length > count"""
KEEP_FIRST_TEXT = f"""
    new MutationObserver((_, observer) => {{
        const text = {LAST_ANSWER};
        if (text === '') return;
        window.firstText = text;
        observer.disconnect();
    }}).observe(document, {{ childList: true, subtree: true, characterData: true }});"""
OVERFLOW = """() => [document.documentElement, ...document.querySelectorAll('main, footer, header, dialog')]
    .filter((element) => element.scrollWidth > element.clientWidth + 1)
    .map((element) => `${element.tagName} ${element.className} ${element.scrollWidth} > ${element.clientWidth}`)"""


class Person:
    """One signed-in (or not yet signed-in) person: a browser context of their own, with one page."""

    def __init__(self, name: str, email: str, context: BrowserContext, url: str) -> None:
        self.name = name
        self.email = email
        self.url = url
        self.context = context
        self.problems: list[str] = []
        self._expected: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        self.page = context.new_page()
        self.page.on("dialog", self._refuse)

    # What is wrong --------------------------------------------------------------------------------------------------

    def expect_problem(self, pattern: str) -> None:
        """Console errors that match `pattern` are part of the test."""
        self._expected.append(pattern)

    @property
    def unexpected_problems(self) -> list[str]:
        return [each for each in self.problems if not any(re.search(pattern, each) for pattern in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _catch(self, error: WebError) -> None:
        self.problems.append(f"exception: {error.error}")

    def _refuse(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    # Getting there --------------------------------------------------------------------------------------------------

    def sign_up(self) -> None:
        """Through the page, from the start page on."""
        self.page.goto("/")
        self.page.get_by_role("link", name="Make an account").click()
        self.page.get_by_label("Name").fill(self.name)
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Make the account").click()
        expect(self.page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()

    def go(self, session: dict[str, Any]) -> Page:
        """Opens a session's page, and waits until it is live."""
        self.page.goto(path_of(session))
        self.sees_live()
        return self.page

    def sees_live(self) -> None:
        expect(self.connection).to_have_text("Live")

    # Over REST, with the browser's cookies --------------------------------------------------------------------------

    def rest(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        # A browser says where a request comes from; on https Django asks for it.
        headers = {"X-CSRFToken": cookies.get("csrftoken", ""), "Referer": f"{self.url}/"}
        response = self.context.request.fetch(f"/v1/{path}", method=method, data=body, headers=headers)
        assert response.status == status, response.text()
        return response.json() if status != 204 else None

    def make_session(self, title: str, model: str, **members: Person) -> dict[str, Any]:
        """A session of theirs that asks `model`; `members` are given by role."""
        session: dict[str, Any] = self.rest("POST", "sessions", {"title": title, "model": model}, 201)
        for role, person in members.items():
            self.rest("POST", f"sessions/{session['id']}/members", {"email": person.email, "role": role}, 201)
        return session

    def transcript(self, session: dict[str, Any]) -> list[dict[str, Any]]:
        """The session's messages, as saved."""
        messages: list[dict[str, Any]] = self.rest("GET", f"sessions/{session['id']}/messages")["results"]
        return messages

    # On a session's page --------------------------------------------------------------------------------------------

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def connection(self) -> Locator:
        """The head's word for how the connection is."""
        return self.page.locator("header .pill")

    @property
    def stop_button(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile(r"^Stop\b"))

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.page.get_by_role("article", name="Answer").last

    @property
    def live_facts(self) -> Locator:
        """What is said of the answer that is being written."""
        return self.page.locator(".live-facts")

    def ask(self, prompt: str) -> None:
        self.composer.fill(prompt)
        self.composer.press("Enter")

    def words(self) -> int:
        """How many words of the last answer are there."""
        count: int = self.page.evaluate(COUNT_WORDS)
        return count

    def sees_more_than(self, count: int) -> None:
        """Waits for more than `count` words of an answer that is still being written."""
        self.page.wait_for_function(IS_WRITTEN_BEYOND, arg=count)

    def sees_end(self) -> None:
        """Waits until the last answer is not written any more."""
        expect(self.answer).to_have_attribute("aria-busy", "false", timeout=40_000)

    def answer_text(self) -> str:
        """The last answer as shown, with its white space made single."""
        return single_spaced(self.page.evaluate(f"() => {LAST_ANSWER}"))

    def keep_first_text(self) -> None:
        """From now on each page remembers the first text of an answer that it drew."""
        self.context.add_init_script(KEEP_FIRST_TEXT)

    def first_text(self) -> str:
        self.page.wait_for_function("() => window.firstText")
        return single_spaced(self.page.evaluate("() => window.firstText"))

    def sees_no_sideways_scrolling(self) -> None:
        assert self.page.evaluate(OVERFLOW) == []

    def photograph(self, name: str) -> None:
        """Keeps a picture for people to look at; a browser that is too busy to give one is asked once more."""
        PICTURES.mkdir(exist_ok=True)
        try:
            self.page.screenshot(path=PICTURES / f"{name}.png")
        except Error:
            self.page.screenshot(path=PICTURES / f"{name}.png")


def path_of(session: dict[str, Any]) -> str:
    """The address of a session's page."""
    return f"/s/{session['slug'] or session['id']}"


def single_spaced(text: str) -> str:
    return " ".join(text.split())
