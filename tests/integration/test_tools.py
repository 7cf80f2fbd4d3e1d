"""Tools through the whole program: over sockets and server-sent events, with the module that the page about tools shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.integration.client import Watched, live
from tests.integration.stack import PATIENCE_S, Stack
from tests.integration.test_sse import EVENT_STREAM, parse, text_of

pytestmark = pytest.mark.timeout(150)

PAGE = Path(__file__).parents[2] / "docs" / "tools.md"
FILE_TOOL = {"name": "delete_file"}


@pytest.fixture(scope="module")
def tooled(start: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A server with the tools of docs/tools.md, as they stand there."""
    folder = tmp_path_factory.mktemp("tools")
    module = re.search(r"^```python\n# my_tools.py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert module is not None
    (folder / "my_tools.py").write_text(module[1])
    return start(TOOL_MODULES="my_tools", PYTHONPATH=str(folder))


def waits(watched: Watched, stream: str) -> bool:
    return stream in watched.state.streams and watched.state.streams[stream].status == "waiting"


async def test_the_tools_of_the_page_are_listed_and_called(tooled: Stack) -> None:
    olga = tooled.people["Olga"]
    async with tooled.rest_soon(olga) as rest:
        session = (await rest.post("/v1/sessions", json={})).json()["id"]
        listed = (await rest.get(f"/v1/sessions/{session}/tools")).json()
    assert [(each["name"], each["asks_first"]) for each in listed["results"]] == [
        ("share", False),
        ("delete_file", True),
        ("read_book", False),
    ]
    async with live(tooled, olga) as client:
        stream, watched = await client.start("share it", "script-tools", tools="auto")
        await client.end_of(watched, stream)
    assert watched.text(stream) == "The tool said: 0.75 each"


async def test_a_function_tells_everybody_how_far_it_is(tooled: Stack) -> None:
    async with live(tooled, tooled.people["Olga"]) as client:
        stream, watched = await client.start("Emma", "script-tools", tools=[{"name": "read_book"}])
        await client.end_of(watched, stream)
    assert watched.text(stream) == "The tool said: Emma has 4 pages"
    told = [tool for event in watched.of_type("progress") for tool in event.get("tools") or ()]
    assert told
    for tool in told:
        assert (tool["total"], tool["message"]) == (4, f"Page {tool['progress']:.0f} of 4")


async def test_a_call_is_approved_over_a_socket(tooled: Stack) -> None:
    olga = tooled.people["Olga"]
    async with live(tooled, olga) as client:
        stream, watched = await client.start("old.txt", "script-tools", tools=[FILE_TOOL])
        await client.until(lambda: waits(watched, stream), "it waits for approval")
        (call,) = watched.state.streams[stream].tool_calls
        await client.ask("tool.approve", stream=stream, call=call, approved=True)
        await client.end_of(watched, stream)
    assert watched.text(stream) == f"The tool said: old.txt is gone, as {olga.id} wanted"


async def test_another_client_of_the_person_answers_when_the_first_is_gone(tooled: Stack) -> None:
    olga = tooled.people["Olga"]
    weather = {"name": "weather", "parameters": {"city": "string"}}
    async with live(tooled, olga) as first:
        stream, watched = await first.start("Paris", "script-tools", tools=[weather])
        await first.until(lambda: waits(watched, stream), "it waits for a client")
    async with live(tooled, olga) as second:
        seen = await second.watch(f"stream:{stream}")
        await second.until(lambda: stream in seen.state.streams, "the snapshot")
        (call,) = seen.state.streams[stream].tool_calls.values()
        assert (call["tool"], call["args"], call["status"]) == ("weather", {"city": "Paris"}, "awaiting_client")
        await second.ask("tool.result", stream=stream, call=call["call"], output={"celsius": 12})
        await second.end_of(seen, stream)
    assert seen.text(stream) == 'The tool said: {"celsius":12}'


def test_it_goes_on_over_server_sent_events_when_denied_over_rest(tooled: Stack) -> None:
    olga = tooled.people["Olga"]
    body = b""
    asked = {"content": "old.txt", "model": "script-tools", "tools": [FILE_TOOL]}
    with (
        tooled.rest(olga) as rest,
        httpx.stream(
            "POST", f"{tooled.url}/v1/streams", json=asked, headers={**olga.headers, **EVENT_STREAM},
            timeout=PATIENCE_S, trust_env=False,
        ) as response,
    ):  # fmt: skip
        for chunk in response.iter_bytes():
            body += chunk
            if (waiting := [e for e in parse(body) if e.data.get("status") == "awaiting_approval"]) and (
                not any(event.type == "tool_result" for event in parse(body))
            ):
                call = {"call": waiting[0].data["call"], "approved": False, "reason": "It is needed."}
                answer = rest.post(f"/v1/streams/{waiting[0].data['stream']}/tools/approve", json=call)
                assert answer.status_code in (202, 409)
    events = parse(body)
    assert text_of(events) == "The tool said: Error: This call was denied by Olga. It is needed."
    assert events[-1].type == "complete"
