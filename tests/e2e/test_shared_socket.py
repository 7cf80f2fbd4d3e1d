"""Tabs of one browser that share a socket: one connection for all, and nothing lost or twice when the tab that has it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, Route

from tests.cli.processes import until
from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack

BUILT = Path(__file__).parents[2] / "clients" / "js" / "live-client" / "dist"

# A page as a user of the package would write it. `window.text` is what it has of the session's only answer.
OPEN = """async ([url, session]) => {
    const { HanzoLiveClient, SessionStore } = await import('/tabs/index.js');
    const { SharedSocket } = await import('/tabs/shared.js');
    window.client = new HanzoLiveClient({ url, WebSocket: SharedSocket });
    const store = new SessionStore(window.client, session);
    store.subscribe(() => {
        const { streams, messages } = store.getSnapshot();
        const answer = Object.values(streams).at(-1) ?? messages.find(({ role }) => role === 'assistant');
        window.text = answer?.content ?? '';
        window.over = answer?.status === 'complete';
    });
    store.open();
    await window.client.connect();
}"""
HAS_MORE_THAN = "(words) => (window.text ?? '').split(/\\s+/).length > words"
WORDS = "() => window.text.split(/\\s+/).length"


class Tabs:
    """The tabs of one person's browser, with the built package at an address of the server."""

    def __init__(self, person: Person, stack: Stack, session: dict[str, Any]) -> None:
        self._person = person
        self._serves = [serve for serve in (stack.serve, stack.second) if serve is not None]
        self._session = session["id"]
        person.context.route(f"{person.url}/tabs/**", _give)
        # What other tests had open is not ours to count.
        self.wait_for_sockets(0)

    def open(self) -> Page:
        """One more tab, once it is connected."""
        page = self._person.context.new_page()
        # A page of the server's without a policy of its own, so that it may load the package's files.
        page.goto("/health")
        page.evaluate(OPEN, [self._person.url, self._session])
        return page

    @property
    def sockets(self) -> int:
        """How many the server has, by its own count."""
        return sum(_sockets_of(serve.url) for serve in self._serves)

    def wait_for_sockets(self, count: int) -> None:
        until(lambda: self.sockets == count, f"{count} sockets")


def _give(route: Route) -> None:
    route.fulfill(path=BUILT / route.request.url.rpartition("/")[2], content_type="text/javascript")


def _sockets_of(url: str) -> int:
    lines = httpx.get(f"{url}/metrics", trust_env=False).text.splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("hanzo_live_sockets ")))


def asked(olga: Person, prompt: str, tokens: int) -> dict[str, Any]:
    """A session in which the answer to `prompt` is being written."""
    session = olga.make_session("In many tabs", f"script-slow@rate=20,tokens={tokens}")
    olga.rest("POST", f"sessions/{session['id']}/messages", {"content": prompt}, 202)
    return session


def sees_on(page: Page, words: int = 10) -> None:
    """The answer grows by some words."""
    page.wait_for_function(HAS_MORE_THAN, arg=page.evaluate(WORDS) + words)


def sees_all(page: Page, text: str) -> None:
    page.wait_for_function("() => window.over")
    assert single_spaced(page.evaluate("window.text")) == single_spaced(text)


def test_they_have_one_socket_and_another_takes_over_when_the_one_that_has_it_is_closed(
    olga: Person, stack: Stack
) -> None:
    prompt = "For all my tabs"
    tabs = Tabs(olga, stack, asked(olga, prompt, tokens=200))
    leading, *others = [tabs.open() for _ in range(4)]
    for page in (leading, *others):
        page.wait_for_function(HAS_MORE_THAN, arg=5)
    assert tabs.sockets == 1
    leading.close()
    for page in others:
        sees_on(page)
    tabs.wait_for_sockets(1)
    for page in others:
        sees_all(page, stack.answer_to(prompt))
    for page in others:
        page.close()
    tabs.wait_for_sockets(0)


def test_one_that_stands_still_loses_the_socket_and_has_all_when_it_wakes(olga: Person, stack: Stack) -> None:
    prompt = "While one sleeps"
    tabs = Tabs(olga, stack, asked(olga, prompt, tokens=320))
    leading, other = tabs.open(), tabs.open()
    for page in (leading, other):
        page.wait_for_function(HAS_MORE_THAN, arg=5)
    # Chromium's own "frozen" lets pages with a socket run on; a debugger's pause holds all of their code.
    debugger = olga.context.new_cdp_session(leading)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")
    third = tabs.open()
    for page in (other, third):
        sees_on(page)
    debugger.send("Debugger.resume")
    debugger.send("Debugger.disable")
    for page in (leading, other, third):
        sees_all(page, stack.answer_to(prompt))
    tabs.wait_for_sockets(1)
