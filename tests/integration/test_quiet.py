"""A quiet subscription, as the edge has for each viewer: the right to a log and a place in it, without its events."""

from __future__ import annotations

import pytest

from tests.integration.client import Refused, live
from tests.integration.conftest import Room

pytestmark = pytest.mark.timeout(150)


async def test_it_is_present_and_told_nothing_until_its_right_ends(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        watched, quiet = await olga.watch(room.log), await vera.watch(room.log, quiet=True)
        await olga.until(lambda: any(each["id"] == room.vera.id for each in _people(watched.frames)), "Vera is here")
        await vera.ask("presence.set", session=room.session, typing=True)
        await olga.until(lambda: "true" in str(watched.frames[-1]).lower(), "Vera types")
        stream = await olga.prompt(room.session, prompt, "script-echo")
        await olga.end_of(watched, stream)
        assert quiet.frames == []
        with room.stack.rest(room.olga) as rest:
            assert rest.delete(f"/v1/sessions/{room.session}/members/{room.vera.id}").status_code == 204
        await vera.until(lambda: quiet.frames, "the end")
        assert quiet.frames == [{"type": "unsubscribed", "log": room.log, "reason": "removed"}]


async def test_it_becomes_a_usual_one_and_a_usual_one_becomes_quiet(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        mine, theirs = await olga.watch(room.log), await tariq.watch(room.log, quiet=True)
        first = await olga.prompt(room.session, prompt, "script-echo")
        await olga.end_of(mine, first)
        await tariq.watch(room.log)
        await tariq.until(lambda: theirs.ended(first), "the snapshot")
        await tariq.watch(room.log, resume=True, quiet=True)
        had = len(theirs.applied)
        # Also what it asks itself is told elsewhere.
        second = await tariq.prompt(room.session, prompt, "script-echo")
        await olga.end_of(mine, second)
        assert [event["type"] for event in theirs.applied[had:] if event["type"] != "presence"] == []


async def test_the_right_is_asked_for_as_always(room: Room) -> None:
    async with live(room.stack, room.otto) as otto:
        with pytest.raises(Refused, match="not_found"):
            await otto.watch(room.log, quiet=True)


def _people(frames: list[dict[str, object]]) -> list[dict[str, str]]:
    return [
        person["user"]
        for frame in frames
        for name in ("users", "changes")
        for person in frame.get(name) or ()  # type: ignore[attr-defined]
    ]
