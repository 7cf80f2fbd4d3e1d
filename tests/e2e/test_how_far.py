"""How far an answer is, and where it came from: the bar, its words, and answers out of the cache."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from streaming.runner.progress import GROUND
from tests.cli.processes import until
from tests.e2e.person import Person

MODEL = "script-slow@rate=20,tokens=240"
KEEP_VALUES = """(bar) => {
    window.values = [bar.value];
    const keep = () => window.values.push(bar.value);
    new MutationObserver(keep).observe(bar, { attributes: true, attributeFilter: ["value"] });
}"""


def bar_of(person: Person) -> Locator:
    return person.page.get_by_role("progressbar", name="How far the answer is")


def test_a_bar_grows_once_such_answers_are_known_and_never_goes_back(olga: Person, vera: Person) -> None:
    prompt = "Tell me about the sea"
    before = [olga.rest("POST", "streams", {"content": prompt, "model": MODEL}, 202)["stream"] for _ in range(GROUND)]
    for stream in before:
        until(lambda each=stream: olga.rest("GET", f"streams/{each}")["status"] == "complete", "an answer is whole", 60)
    session = olga.make_session("How far", MODEL, viewer=vera)
    for person in (olga, vera):
        person.go(session)
    olga.ask(prompt)
    for person in (olga, vera):
        expect(bar_of(person)).to_be_visible()
        bar_of(person).evaluate(KEEP_VALUES)
        expect(person.live_facts).to_contain_text("of about 240 tokens")
        expect(person.live_facts).to_contain_text("s left")
    olga.sees_more_than(60)
    olga.photograph("progress")
    for person in (olga, vera):
        person.sees_end()
        expect(bar_of(person)).to_have_count(0)
        values: list[float] = person.page.evaluate("() => window.values")
        assert len(values) > 1
        assert values == sorted(values)
        assert values[0] > 0
        assert values[-1] < 100


def test_no_bar_is_drawn_without_a_ground(olga: Person) -> None:
    olga.go(olga.make_session("Nobody knows", "script-slow@rate=40,tokens=90"))
    olga.ask("Tell me about the hills")
    olga.sees_more_than(40)
    expect(olga.live_facts).to_contain_text("tokens/s")
    expect(bar_of(olga)).to_have_count(0)
    olga.sees_end()


@pytest.fixture
def asked_before(olga: Person) -> dict[str, Any]:
    """What was asked, and may be answered from the cache, in another session."""
    asked = {"content": "What is kept?", "cache": {"enabled": True}}
    session = olga.make_session("Kept", "script-fast")
    stream = olga.rest("POST", f"sessions/{session['id']}/messages", asked, 202)["stream"]
    until(lambda: olga.rest("GET", f"streams/{stream}")["status"] == "complete", "the answer is whole")
    return asked


def test_an_answer_from_the_cache_says_so_live_and_after_a_reload(olga: Person, asked_before: dict[str, Any]) -> None:
    session = olga.make_session("Again", "script-fast")
    olga.go(session)
    olga.rest("POST", f"sessions/{session['id']}/messages", asked_before, 202)
    olga.sees_end()
    expect(olga.answer).to_contain_text("From the cache")
    olga.photograph("cached")
    olga.page.reload()
    olga.sees_live()
    expect(olga.answer).to_contain_text("From the cache")
    first, answer = olga.transcript(session)
    assert (first["content"], answer["status"]) == ("What is kept?", "complete")


def test_an_answer_that_a_model_wrote_does_not_say_so(olga: Person) -> None:
    olga.go(olga.make_session("Written", "script-fast"))
    olga.ask("What is written?")
    olga.sees_end()
    expect(olga.answer).to_contain_text("256 tokens")
    expect(olga.answer).not_to_contain_text("From the cache")
