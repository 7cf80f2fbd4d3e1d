"""The connection goes and comes back: what the page says meanwhile, and that nothing is missing or there twice."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.cable import Cable, cable_to
from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack

# What browsers themselves say when a server or the network is gone.
NETWORK = r"WebSocket connection to .* failed|net::ERR_"

# Far less than silence alone would take to tell.
SOON_MS = 8_000
SAY_OFFLINE = """() => {
    Object.defineProperty(navigator, 'onLine', { value: false });
    window.dispatchEvent(new Event('offline'));
}"""


def test_a_killed_web_process_is_waited_for_and_nothing_is_missing_or_twice(
    olga: Person, tariq: Person, stack: Stack
) -> None:
    session = olga.make_session("Across a crash", "script-slow@rate=20,tokens=240", editor=tariq)
    for person in (olga, tariq):
        person.expect_problem(NETWORK)
        person.go(session)
    olga.ask("Go on whatever happens")
    for person in (olga, tariq):
        person.sees_more_than(20)
    killed = stack.web_processes
    assert killed
    for process in killed:
        os.kill(process, signal.SIGKILL)
    for person in (olga, tariq):
        expect(person.connection).to_have_text(re.compile("Reconnecting"))
    olga.photograph("reconnecting")
    for person in (olga, tariq):
        expect(person.connection).to_have_text("Live", timeout=60_000)
        person.sees_end()
        assert person.answer_text() == single_spaced(stack.answer_to("Go on whatever happens"))
    assert len(stack.node.asked("Go on whatever happens")) == 1
    assert olga.transcript(session)[-1]["status"] == "complete"


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    with cable_to(stack.url) as cable:
        yield cable


def test_without_a_network_it_says_so_keeps_what_one_writes_and_goes_on_by_itself(
    cable: Cable, olga: Person, arrive: Callable[..., Person], stack: Stack
) -> None:
    prompt = "Through a tunnel"
    session = olga.make_session("In a train", "script-slow@rate=20,tokens=120")
    rider = arrive("Olga", url=cable.url)
    rider.expect_problem(NETWORK)
    page = rider.go(session)
    rider.ask(prompt)
    rider.sees_more_than(10)
    cable.pull()
    rider.context.set_offline(True)
    expect(rider.connection).to_have_text("Offline")
    expect(rider.live_facts).to_have_text("Not connected")
    expect(rider.stop_button).to_be_disabled()
    rider.composer.fill("Written in the tunnel")
    rider.composer.press("Enter")
    expect(rider.composer).to_have_value("Written in the tunnel")
    expect(page.get_by_text("reconnects by itself when the network is back. What you write is kept.")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    rider.photograph("offline")

    cable.put_in()
    rider.context.set_offline(False)
    rider.sees_live()
    rider.sees_end()
    assert rider.answer_text() == single_spaced(stack.answer_to(prompt))
    rider.composer.press("Enter")
    expect(page.get_by_role("article", name="Answer")).to_have_count(2)
    assert [said["content"] for said in olga.transcript(session) if said["role"] == "user"] == [
        prompt,
        "Written in the tunnel",
    ]
    rider.stop_button.click()
    rider.sees_end()


def test_a_network_that_goes_without_a_word_is_noticed_soon_and_one_that_returns_at_once(
    cable: Cable, olga: Person, arrive: Callable[..., Person], stack: Stack
) -> None:
    prompt = "Out of reach"
    session = olga.make_session("In the lift", "script-slow@rate=20,tokens=120")
    rider = arrive("Olga", url=cable.url)
    rider.expect_problem(NETWORK)
    rider.go(session)
    rider.ask(prompt)
    rider.sees_more_than(10)
    cable.go_dead()
    rider.context.set_offline(True)
    expect(rider.connection).to_have_text("Offline", timeout=SOON_MS)
    expect(rider.live_facts).to_have_text("Not connected")
    cable.put_in()
    rider.context.set_offline(False)
    expect(rider.connection).to_have_text("Live", timeout=SOON_MS)
    rider.sees_end()
    assert rider.answer_text() == single_spaced(stack.answer_to(prompt))


def test_without_a_network_a_server_that_answers_is_live(olga: Person) -> None:
    olga.go(olga.make_session("On one machine", "script-slow@rate=20,tokens=200"))
    olga.ask("Are you still there?")
    olga.sees_more_than(3)
    # Chromium's own "offline" would keep its pages from servers on the same machine, too.
    olga.page.evaluate(SAY_OFFLINE)
    olga.sees_more_than(olga.words() + 80)
    expect(olga.connection).to_have_text("Live")


def test_a_draft_survives_a_reload(olga: Person) -> None:
    page = olga.go(olga.make_session("Half a thought", "script-echo"))
    olga.composer.fill("Half a")
    page.reload()
    expect(olga.composer).to_have_value("Half a")
