"""Nodes that fail in mid-answer, over sockets and server-sent events, and that `docs/recovery.md` is true."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hanzo_live.protocol import fold
from hanzolive.nodes.scripted import expected_text
from tests.cli.processes import clean_environment
from tests.integration.client import live
from tests.integration.conftest import Room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

PAGE = (Path(__file__).parents[2] / "docs" / "recovery.md").read_text()
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FAILURES = ["error", "raw", "cut", "cancel"]


def told(body: str) -> list[dict[str, Any]]:
    """The events of a body of server-sent ones, without those that are nobody's to keep."""
    events = [json.loads(line.removeprefix("data: ")) for line in body.splitlines() if line.startswith("data: ")]
    return [event for event in events if event["type"] != "progress"]


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """Their types, each once for neighbours of one type."""
    types = [event["type"] for event in events]
    return [type for n, type in enumerate(types) if n == 0 or type != types[n - 1]]


@pytest.mark.parametrize("fail", FAILURES)
async def test_viewers_of_a_session_see_it_begin_again_and_end_whole(room: Room, prompt: str, fail: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        of_olga, of_vera = await olga.watch(room.log), await vera.watch(room.log)
        stream = await olga.prompt(room.session, prompt, f"script-recover@fail={fail}")
        await olga.end_of(of_olga, stream)
        await vera.end_of(of_vera, stream)
    said = room.stack.node.said(prompt)
    for watched in (of_olga, of_vera):
        assert len(watched.of_type("reset")) == 1
        assert len(watched.of_type("complete", "error")) == 1
        assert watched.text(stream) == said
    # They are told meanwhile; progress is nobody's to keep, so it is among the frames alone.
    assert "recovering" in {frame.get("phase") for frame in of_vera.frames}
    assert room.messages()[-1]["content"] == said


@pytest.mark.parametrize("fail", FAILURES)
def test_event_streams_tell_it_too(stack: Stack, prompt: str, fail: str) -> None:
    with stack.rest(stack.people["Olga"], Accept="text/event-stream") as rest:
        asked = {"content": prompt, "model": f"script-continue@fail={fail},fail_at=20,fails=1"}
        events = told(rest.post("/v1/streams", json=asked).text)
    assert kinds(events) == ["stream_start", "token", "complete"]
    assert fold(events).streams[events[0]["stream"]].content == stack.node.said(prompt)


def test_the_pages_commands_are_answered_as_it_says(stack: Stack) -> None:
    """With `script-cut`, which the page shows last, the budget is used up."""

    def run(command: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["bash", "-euc", command],
            env=clean_environment(URL=stack.url),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return told(done.stdout)

    again, on, cut = map(run, COMMANDS)
    prompt = [{"role": "user", "content": "Tell me about rivers"}]
    assert kinds(again) == ["stream_start", "token", "reset", "token", "complete"]
    assert kinds(on) == ["stream_start", "token", "complete"]
    for events, model in ((again, "script-recover"), (on, "script-continue")):
        assert fold(events).streams[events[0]["stream"]].content == expected_text(model, prompt)
    assert kinds(cut)[-1] == "error"
    assert cut[-1]["retryable"]
    assert cut[-1]["partial"]
