"""Whoever waits is told over the socket how many are before them, until their turn comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.client import Live, Watched, live
from tests.integration.conftest import make_room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

ENDLESS = "script-slow@rate=40,tokens=100000"


@pytest.fixture(scope="module")
def narrow(start: Callable[..., Stack]) -> Stack:
    """A server that writes one answer at a time."""
    return start(MAX_CONCURRENT_STREAMS="1")


def told(watched: Watched, stream: str) -> list[tuple[Any, Any]]:
    """The phase and place in each `progress` of the stream, in the order in which they came."""
    frames = [frame for frame in watched.frames if frame["type"] == "progress" and frame["stream"] == stream]
    return [(frame["phase"], frame["queue_position"]) for frame in frames]


async def is_told(client: Live, watched: Watched, stream: str, place: int) -> None:
    await client.until(lambda: ("queued", place) in told(watched, stream), f"{place} are before {stream}")


async def test_those_who_wait_for_a_slot_are_told_their_place_as_it_changes(narrow: Stack, prompt: str) -> None:
    async with live(narrow, narrow.people["Olga"]) as client:
        first, its_log = await client.start(prompt, ENDLESS)
        await client.has_words(its_log, first, 2)
        second, second_log = await client.start(prompt, ENDLESS)
        third, third_log = await client.start(prompt, "script-echo")
        await is_told(client, second_log, second, 0)
        await is_told(client, third_log, third, 1)
        await client.ask("stream.stop", stream=first)
        await client.has_words(second_log, second, 2)
        await is_told(client, third_log, third, 0)
        await client.ask("stream.stop", stream=second)
        await client.end_of(third_log, third)
        assert third_log.text(third) == prompt
        places = [place for phase, place in told(third_log, third) if phase == "queued"]
        assert places == sorted(places, reverse=True)
        assert all(place is None for phase, place in told(third_log, third) if phase != "queued")


async def test_those_who_wait_in_a_session_are_told_how_many_were_asked_before(narrow: Stack, prompt: str) -> None:
    room = make_room(narrow)
    async with live(narrow, room.olga) as olga, live(narrow, room.vera) as vera:
        watched, seen = await olga.watch(room.log), await vera.watch(room.log)
        streams = [await olga.prompt(room.session, f"{prompt} {n}", ENDLESS) for n in range(3)]
        await olga.has_words(watched, streams[0], 2)
        for client, log in ((olga, watched), (vera, seen)):
            await is_told(client, log, streams[1], 1)
            await is_told(client, log, streams[2], 2)
        for stream in reversed(streams):
            await olga.ask("stream.stop", stream=stream)
        for stream in streams:
            await olga.end_of(watched, stream)
