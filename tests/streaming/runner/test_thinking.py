"""How long a model thought: measured by step, saved with the reply, and told to nobody's model."""

from __future__ import annotations

from typing import Any

import pytest

from hanzo_live.protocol import fold
from hanzolive.nodes.scripted import expected_thoughts
from sessions.models import Message
from streaming.node.configured import read_nodes
from streaming.runner.thinking import ThinkingClock
from tests.streaming.runner.house import Crew, ask, events, row
from tests.streaming.tools import functions

THOUGHTFUL = "script-thoughts@rate=100"


def seen(*entries: tuple[str, int, float]) -> list[float]:
    clock = ThinkingClock()
    for type, step, at in entries:
        clock.see(type, step, at)
    return clock.ms


def test_a_thought_lasts_until_something_else_is_said() -> None:
    assert seen(("thought", 0, 1.0), ("thought", 0, 1.5), ("token", 0, 3.0), ("token", 0, 9.0)) == [2000.0]


def test_each_step_has_its_own_time() -> None:
    entries = [("thought", 0, 1.0), ("token", 0, 2.0), ("thought", 1, 5.0), ("tool_call", 0, 5.25), ("thought", 3, 6.0)]
    assert seen(*entries) == [1000.0, 250.0, 0.0, 0.0]


def test_a_reset_voids_it() -> None:
    assert seen(("thought", 0, 1.0), ("token", 0, 2.0), ("reset", 0, 3.0)) == []


def test_what_another_worker_writes_is_by_its_own_clock() -> None:
    clock = ThinkingClock()
    clock.see("thought", 0, 1_000_000.0)
    clock.pause()
    clock.see("token", 0, 5.0)
    assert clock.ms == [0.0]


def test_the_reply_keeps_its_thoughts_with_their_time_and_the_log_says_the_same(
    crew: Crew, owner: Any, live_session: Any
) -> None:
    started = ask(owner, "say this", model=THOUGHTFUL, session="the-plan")
    crew.carry(crew.here(), started.stream).result(15)
    reply = Message.objects.get(pk=started.reply)
    (part,) = reply.parts
    asked = crew.node.asked[-1]
    assert (part["type"], part["text"]) == ("reasoning", expected_thoughts(THOUGHTFUL, asked.messages))
    assert part["duration_ms"] > 0
    timings = row(started.stream).timings
    assert timings is not None
    assert timings["thoughts_ms"] == [part["duration_ms"]]
    assert fold(events(started.log)).messages[str(started.reply)]["parts"] == reply.parts


@pytest.mark.parametrize("wants", [True, False])
def test_an_api_that_asks_for_it_is_sent_what_was_thought_before_each_tool(
    crew: Crew, settings: Any, owner: Any, live_session: Any, wants: bool
) -> None:
    settings.NODES = read_nodes([{"name": "one", "url": crew.node.url, "wants_thoughts": wants}])
    settings.TOOL_MODULES = [functions.__name__]
    worker, model = crew.here(), "script-tools@thoughts=8"
    for prompt in ("one", "two"):
        started = ask(owner, prompt, model=model, tools=[{"name": "add"}], session="the-plan")
        crew.carry(worker, started.stream).result(15)
        assert row(started.stream).status == "complete"
    first, second, third, fourth = crew.node.asked
    thought = expected_thoughts(model, first.messages)
    assert thought
    assert [message.get("reasoning_content") for message in second.messages] == [None, thought if wants else None, None]
    # Of an earlier answer all of it: also what was thought after the tool.
    earlier = thought + expected_thoughts(model, second.messages)
    for asked, thoughts in ((third, [earlier]), (fourth, [earlier, expected_thoughts(model, third.messages)])):
        sent = [message["reasoning_content"] for message in asked.messages if "reasoning_content" in message]
        assert sent == (thoughts if wants else [])


def test_no_model_is_told_what_one_thought(crew: Crew, owner: Any, live_session: Any) -> None:
    worker = crew.here()
    for prompt, model in (("one", THOUGHTFUL), ("two", "script-think-tags"), ("three", "script-echo")):
        crew.carry(worker, ask(owner, prompt, model=model, session="the-plan").stream).result(15)
    thoughts = [part["text"] for reply in Message.objects.filter(role="assistant") for part in reply.parts]
    told = str(crew.node.asked[-1].messages)
    assert len(thoughts) == 2
    assert not any(thought in told for thought in thoughts)
    assert "think>" not in told
