"""The connection goes and comes back: what the page says meanwhile, and that nothing is missing or there twice."""

from __future__ import annotations

import os
import re
import signal

from playwright.sync_api import expect

from tests.e2e.person import Person, single_spaced
from tests.e2e.stack import Stack

# What browsers themselves say when a server or the network is gone.
NETWORK = r"WebSocket connection to .* failed|net::ERR_"


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
    killed = stack.web_process
    assert killed
    os.kill(killed, signal.SIGKILL)
    for person in (olga, tariq):
        expect(person.connection).to_have_text(re.compile("Reconnecting"))
    olga.photograph("reconnecting")
    for person in (olga, tariq):
        expect(person.connection).to_have_text("Live", timeout=60_000)
        person.sees_end()
        assert person.answer_text() == single_spaced(stack.answer_to("Go on whatever happens"))
    assert len(stack.asked("Go on whatever happens")) == 1
    assert olga.transcript(session)[-1]["status"] == "complete"


def test_offline_is_said_and_what_one_writes_is_kept(olga: Person) -> None:
    olga.expect_problem(NETWORK)
    session = olga.make_session("In a tunnel", "script-echo")
    page = olga.go(session)
    olga.context.set_offline(True)
    expect(olga.connection).to_have_text(re.compile("Offline"))
    olga.composer.fill("Written in the tunnel")
    olga.composer.press("Enter")
    expect(olga.composer).to_have_value("Written in the tunnel")
    expect(page.get_by_text("Your text is kept until it can be sent")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    olga.photograph("offline")

    olga.context.set_offline(False)
    olga.sees_live()
    olga.composer.press("Enter")
    olga.sees_end()
    assert olga.answer_text() == "Written in the tunnel"


def test_a_draft_survives_a_reload(olga: Person) -> None:
    page = olga.go(olga.make_session("Half a thought", "script-echo"))
    olga.composer.fill("Half a")
    page.reload()
    expect(olga.composer).to_have_value("Half a")
