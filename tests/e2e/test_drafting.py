"""The next message, written by everybody at once: live, once, each undoing their own, and through cuts of the network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.cable import Cable, cable_to
from tests.e2e.person import Person
from tests.e2e.session_page import press_send_at_once
from tests.e2e.stack import Stack

# What browsers themselves say when a server or the network is gone.
NETWORK = r"WebSocket connection to .* failed|net::ERR_"
LONG = "жук😀" * 5_000


@pytest.fixture
def session(olga: Person, tariq: Person, vera: Person) -> dict[str, Any]:
    made = olga.make_session("Write with me", "script-echo", editor=tariq, viewer=vera)
    for person in (olga, tariq, vera):
        person.go(made)
    return made


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    with cable_to(stack.url) as cable:
        yield cable


def prompts(person: Person, session: dict[str, Any]) -> list[str]:
    return [said["content"] for said in person.transcript(session) if said["role"] == "user"]


def test_what_one_types_is_there_for_all_and_a_viewer_only_reads(
    olga: Person, tariq: Person, vera: Person, session: dict[str, Any]
) -> None:
    olga.composer.press_sequentially("Compare one ")
    expect(tariq.composer).to_have_value("Compare one ")
    tariq.composer.press("End")
    tariq.composer.press_sequentially("and two 😀")
    for person in (olga, tariq, vera):
        expect(person.composer).to_have_value("Compare one and two 😀")
    # The caret stays where one writes, though others write behind it.
    olga.composer.press_sequentially("half ")
    for person in (olga, tariq, vera):
        expect(person.composer).to_have_value("Compare one half and two 😀")
    expect(vera.composer).not_to_be_editable()
    expect(vera.page.get_by_role("button", name="Send")).to_be_disabled()
    vera.composer.press("Enter")
    vera.page.reload()
    expect(vera.composer).to_have_value("Compare one half and two 😀")
    assert prompts(olga, session) == []


def test_two_who_press_send_at_once_make_one_message(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    olga.composer.fill("Only once")
    expect(tariq.composer).to_have_value("Only once")
    press_send_at_once(olga, tariq)
    for person in (olga, tariq):
        expect(person.composer).to_have_value("")
        person.sees_end()
        expect(person.page.locator(".prompt")).to_have_count(1)
        expect(person.page.locator(".prompt-text")).to_have_text("Only once")
        expect(person.page.get_by_role("alert")).to_have_count(0)
    assert prompts(olga, session) == ["Only once"]
    tariq.ask("And again")
    expect(olga.page.locator(".prompt-text").last).to_have_text("And again")


def test_undo_takes_back_ones_own_text_alone(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    olga.composer.press_sequentially("Olga's. ")
    expect(tariq.composer).to_have_value("Olga's. ")
    tariq.composer.press("End")
    tariq.composer.press_sequentially("Tariq's. ")
    expect(olga.composer).to_have_value("Olga's. Tariq's. ")
    olga.composer.press("Control+z")
    expect(olga.composer).to_have_value("Tariq's. ")
    expect(tariq.composer).to_have_value("Tariq's. ")
    olga.composer.press("Control+Shift+z")
    expect(tariq.composer).to_have_value("Olga's. Tariq's. ")
    tariq.composer.press("Control+z")
    expect(olga.composer).to_have_value("Olga's. ")


def test_both_write_through_a_cut_and_nothing_is_lost_or_there_twice(
    olga: Person, tariq: Person, session: dict[str, Any], cable: Cable, arrive: Callable[..., Person]
) -> None:
    rider = arrive("Olga", url=cable.url)
    rider.expect_problem(NETWORK)
    page = rider.go(session)
    rider.composer.press_sequentially("Before. ")
    expect(tariq.composer).to_have_value("Before. ")
    cable.pull()
    expect(rider.connection).to_have_text(re.compile("Reconnecting"))
    rider.composer.press_sequentially("In the tunnel. ")
    tariq.composer.press("Home")
    tariq.composer.press_sequentially("Outside. ")
    expect(page.get_by_text("Not connected. Your text is kept")).to_be_visible()
    expect(rider.composer).to_have_value("Before. In the tunnel. ")
    cable.put_in()
    rider.sees_live()
    for person in (rider, tariq, olga):
        expect(person.composer).to_have_value("Outside. Before. In the tunnel. ")


def test_what_one_wrote_offline_is_not_lost_where_the_draft_was_sent_meanwhile(
    olga: Person, tariq: Person, session: dict[str, Any], cable: Cable, arrive: Callable[..., Person]
) -> None:
    rider = arrive("Olga", url=cable.url)
    rider.expect_problem(NETWORK)
    page = rider.go(session)
    rider.composer.press_sequentially("Sent.")
    expect(tariq.composer).to_have_value("Sent.")
    cable.pull()
    expect(rider.connection).to_have_text(re.compile("Reconnecting"))
    rider.composer.press_sequentially(" Written since.")
    tariq.composer.press("Enter")
    tariq.sees_end()
    tariq.composer.fill("Something else")
    cable.put_in()
    expect(page.get_by_text("The draft was sent while you were away.")).to_be_visible()
    expect(rider.composer).to_have_value("Something else")
    rider.photograph("aside")
    page.get_by_role("button", name="Add to the draft").click()
    expect(tariq.composer).to_have_value("Something else\n Written since.")
    expect(page.get_by_text("The draft was sent while you were away.")).to_have_count(0)
    assert prompts(tariq, session) == ["Sent."]


def test_a_reload_without_the_server_having_it_keeps_what_one_wrote(
    olga: Person, session: dict[str, Any], cable: Cable, arrive: Callable[..., Person]
) -> None:
    rider = arrive("Olga", url=cable.url)
    rider.expect_problem(NETWORK)
    page = rider.go(session)
    rider.composer.press_sequentially("There. ")
    expect(olga.composer).to_have_value("There. ")
    cable.pull()
    expect(rider.connection).to_have_text(re.compile("Reconnecting"))
    rider.composer.press_sequentially("Not there yet.")
    page.goto("about:blank")
    cable.put_in()
    rider.go(session)
    for person in (rider, olga):
        expect(person.composer).to_have_value("There. Not there yet.")


def test_a_refused_message_says_why_and_is_still_there(olga: Person, tariq: Person) -> None:
    session = olga.make_session("One at a time", "script-slow@rate=20,tokens=5000", editor=tariq)
    olga.rest("PATCH", f"sessions/{session['id']}", {"overlap": "reject"})
    for person in (olga, tariq):
        person.go(session)
    olga.ask("The first")
    olga.sees_more_than(3)
    tariq.ask("Too early")
    expect(tariq.page.locator("#composer-note").get_by_role("alert")).to_be_visible()
    for person in (olga, tariq):
        expect(person.composer).to_have_value("Too early")
    tariq.photograph("refused")
    olga.stop_button.click()
    olga.sees_end()
    tariq.composer.press("Enter")
    expect(olga.page.locator(".prompt-text").last).to_have_text("Too early")


def test_long_text_of_any_script_is_taken_and_too_much_is_refused_in_words(
    olga: Person, tariq: Person, session: dict[str, Any]
) -> None:
    olga.composer.fill(LONG)
    expect(tariq.composer).to_have_value(LONG)
    olga.composer.press("Control+a")
    olga.composer.press("Delete")
    expect(tariq.composer).to_have_value("")
    olga.composer.press("Control+z")
    expect(tariq.composer).to_have_value(LONG)
    olga.composer.fill("x" * 50_001)
    expect(olga.page.get_by_role("alert")).to_contain_text("A draft may have 50,000 characters")
    expect(olga.composer).to_have_value(LONG)


def test_an_input_method_is_not_disturbed_by_others(olga: Person, tariq: Person, session: dict[str, Any]) -> None:
    input_method = olga.context.new_cdp_session(olga.page)
    olga.composer.focus()
    input_method.send("Input.imeSetComposition", {"text": "に", "selectionStart": 1, "selectionEnd": 1})
    expect(tariq.composer).to_have_value("に")
    tariq.composer.press("Home")
    tariq.composer.press_sequentially("mine and ")
    expect(tariq.composer).to_have_value("mine and に")
    input_method.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    expect(olga.composer).to_have_value("にほん")
    input_method.send("Input.insertText", {"text": "日本"})
    for person in (olga, tariq):
        expect(person.composer).to_have_value("mine and 日本")
