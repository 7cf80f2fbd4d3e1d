"""Server-sent events: a stream or a session over plain HTTP, resumed to the byte from wherever it was cut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from streaming.hub import View
from streaming.projections import reader, sse
from tests.integration.conftest import Room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

EVENT_STREAM = {"Accept": "text/event-stream"}


@dataclass(frozen=True)
class Event:
    id: str
    type: str
    data: dict[str, Any]


def parse(body: bytes) -> list[Event]:
    """The complete events of a body, as the specification has it: one that was cut is not there."""
    events = []
    *blocks, _ = body.decode("utf-8", "ignore").split("\n\n")
    for block in blocks:
        fields: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            if name:
                assert name not in fields
                fields[name] = value.removeprefix(" ")
        if "data" in fields:
            events.append(Event(fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return events


def text_of(events: Iterable[Event]) -> str:
    """What a reader of these events shows."""
    text = ""
    for event in events:
        if event.type == "snapshot":
            text = event.data["state"]["streams"][0]["content"]
        elif event.type == "token":
            text += event.data["data"]
    return text


def last_id(events: Iterable[Event]) -> str:
    """What an EventSource would send as Last-Event-ID: ephemeral events have none and leave it as it is."""
    return next((event.id for event in reversed(list(events)) if event.id), "")


def durable(events: Iterable[Event]) -> list[Event]:
    return [event for event in events if event.type != "progress"]


def assert_without_holes(events: Iterable[Event], after: int) -> None:
    """Each goes on where the one before it ended, the first after `after`."""
    for event in durable(events):
        assert event.data.get("prev", event.data["seq"] - 1) == after
        after = event.data["seq"]


def start(stack: Stack, prompt: str, model: str, **fields: Any) -> httpx.Response:
    with stack.rest(stack.people["Olga"], **EVENT_STREAM) as rest:
        return rest.post("/v1/streams", json={"content": prompt, "model": model, **fields})


def events_of(stack: Stack, stream: str, last: str = "") -> httpx.Response:
    headers = {"Last-Event-ID": last} if last else {}
    with stack.rest(stack.people["Olga"], **EVENT_STREAM, **headers) as rest:
        return rest.get(f"/v1/streams/{stream}/events")


def test_a_stream_is_started_and_read_in_one_request(each_server: Stack, prompt: str) -> None:
    answer = start(each_server, prompt, "script-fast@tokens=100")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache, no-transform"
    assert answer.headers["x-accel-buffering"] == "no"
    events = parse(answer.content)
    assert [events[0].type, events[-1].type] == ["stream_start", "complete"]
    assert text_of(events) == each_server.node.said(prompt)
    for event in durable(events):
        assert event.data["type"] == event.type
        epoch, _, seq = event.id.rpartition(".")
        assert epoch
        assert int(seq) == event.data["seq"]
    assert len({event.id.rpartition(".")[0] for event in durable(events)}) == 1
    assert_without_holes(events, 0)


def test_it_resumes_byte_exact_from_every_byte_at_which_it_can_be_cut(each_server: Stack, prompt: str) -> None:
    answer = start(each_server, prompt, "script-slow@rate=120,tokens=80")
    whole = parse(answer.content)
    text = each_server.node.said(prompt)
    assert text_of(whole) == text
    assert len(whole) > 10
    stream = whole[0].data["stream"]
    resumed: dict[str, list[Event]] = {}
    for cut in range(len(answer.content) + 1):
        had = parse(answer.content[:cut])
        last = last_id(had)
        if last not in resumed:
            again = events_of(each_server, stream, last)
            assert again.status_code == (204 if last == whole[-1].id else 200)
            resumed[last] = parse(again.content)
        rest = resumed[last]
        assert text_of(had) + text_of(rest) == text
        if last and rest:
            assert_without_holes(rest, int(last.rpartition(".")[2]))
            assert rest[-1].id == whole[-1].id
    assert len(resumed) == len(durable(whole)) + 1


def test_after_in_the_address_does_what_the_header_does(stack: Stack, prompt: str) -> None:
    whole = parse(start(stack, prompt, "script-fast@tokens=40").content)
    with stack.rest(stack.people["Olga"]) as rest:
        stream = whole[0].data["stream"]
        by_address = rest.get(f"/v1/streams/{stream}/events", params={"after": whole[0].id})
        wrong = rest.get(f"/v1/streams/{stream}/events", params={"after": "yesterday"})
        unknown = rest.get(f"/v1/streams/{stream}/events", params={"after": "another-epoch.1"})
    assert parse(by_address.content) == parse(events_of(stack, stream, whole[0].id).content)
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["field"]) == (400, "bad_request", "after")
    (snapshot,) = parse(unknown.content)
    assert text_of([snapshot]) == text_of(whole)


def test_a_reader_who_joins_in_the_middle_has_the_whole_text(stack: Stack, prompt: str) -> None:
    with stack.rest(stack.people["Olga"]) as rest:
        body = {"content": prompt, "model": "script-slow@rate=100,tokens=100"}
        started = rest.post("/v1/streams", json=body)
        assert started.status_code == 202
        events = parse(rest.get(f"/v1/streams/{started.json()['stream']}/events").content)
    assert events[0].type == "snapshot"
    assert events[-1].type == "complete"
    assert text_of(events) == stack.node.said(prompt)


def test_thoughts_are_there_for_who_asks(stack: Stack, prompt: str) -> None:
    without = parse(start(stack, prompt, "script-thoughts").content)
    assert "thought" not in {event.type for event in without}
    shown = parse(start(stack, prompt, "script-thoughts", show_thoughts=True).content)
    assert "".join(e.data["data"] for e in shown if e.type == "thought")
    assert text_of(shown) == text_of(without) == stack.node.said(prompt)


def test_a_failing_stream_ends_with_its_error(stack: Stack, prompt: str) -> None:
    events = parse(start(stack, prompt, "script-error-midway").content)
    assert events[-1].type == "error"
    assert events[-1].data["code"] == "node_error"
    tries = [n for n, event in enumerate(events) if event.type in ("stream_start", "reset")]
    assert len(tries) == 3
    assert stack.node.said(prompt).startswith(text_of(events[tries[-1] :]))


async def lines(response: httpx.Response) -> AsyncIterator[Event]:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        *blocks, body = body.split(b"\n\n")
        for block in blocks:
            for event in parse(block + b"\n\n"):
                yield event


async def test_a_session_is_watched_from_its_snapshot_and_resumed(room: Room, prompt: str) -> None:
    stack = room.stack
    async with stack.rest_soon(room.olga) as olga, stack.rest_soon(room.vera) as vera:
        address = f"/v1/sessions/{room.session}/events"
        async with vera.stream("GET", address) as response:
            assert response.headers["x-accel-buffering"] == "no"
            events = lines(response)
            first = await anext(events)
            assert (first.type, first.id) == ("snapshot", f"{first.data['epoch']}.{first.data['seq']}")
            body = {"content": prompt, "model": "script-fast@tokens=50"}
            await olga.post(f"/v1/sessions/{room.session}/messages", json=body)
            seen = []
            async for event in events:
                seen += durable([event])
                if event.type == "complete":
                    break
        async with vera.stream("GET", address, headers={"Last-Event-ID": first.id}) as response:
            again = []
            async for event in lines(response):
                again += durable([event])
                if event.type == "complete":
                    break
    assert [event.type for event in seen][:3] == ["message", "message", "stream_start"]
    assert text_of(seen) == text_of(again) == stack.node.said(prompt)
    assert again[-1].id == seen[-1].id


async def test_a_reader_that_goes_away_is_forgotten(room: Room, prompt: str) -> None:
    async with room.stack.rest_soon(room.vera) as vera:
        async with vera.stream("GET", f"/v1/sessions/{room.session}/events") as response:
            assert (await anext(lines(response))).type == "snapshot"
        assert (await vera.get("/v1/me")).status_code == 200


async def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, for the comment comes every 15 seconds elsewhere."""
    monkeypatch.setattr(reader, "KEEP_ALIVE_S", 0.01)
    quiet = reader.LogReader(None)
    await quiet.subscribe(f"stream:{uuid4()}", View(), start="head")
    body = sse.stream(quiet, until_end_of=None)
    for _ in range(3):
        assert (await anext(body)).startswith(b":")
    await body.aclose()  # type: ignore[attr-defined]
    assert quiet.closed
