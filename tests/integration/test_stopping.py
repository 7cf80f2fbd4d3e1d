"""Stop: by whoever may, at once, with everything that was written kept."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.client import Refused, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

ENDLESS = "script-slow@rate=50,tokens=100000"


async def test_another_member_stops_it_and_the_nodes_connection_is_closed(each_server: Stack, prompt: str) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as olga, live(each_server, room.tariq) as tariq:
        of_olga, of_tariq = await olga.watch(room.log), await tariq.watch(room.log)
        stream = await olga.prompt(room.session, prompt, ENDLESS)
        await tariq.has_words(of_tariq, stream, 5)
        await tariq.ask("stream.stop", stream=stream)
        await olga.end_of(of_olga, stream)
        await tariq.end_of(of_tariq, stream)
    asked = await each_server.node.ended(prompt)
    assert asked["state"] == "cancelled"
    (complete,) = of_olga.of_type("complete")
    assert complete["finish_reason"] == "stopped"
    assert complete["stopped_by"]["id"] == room.tariq.id
    text = of_olga.text(stream)
    assert text.count(" ") >= 5
    assert each_server.node.said(prompt).startswith(text)
    assert of_tariq.text(stream) == text
    reply = room.messages()[-1]
    assert (reply["content"], reply["status"], reply["finish_reason"]) == (text, "stopped", "stopped")


async def test_a_viewer_may_not_stop_and_the_stream_goes_on(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=60")
        await olga.has_words(watched, stream, 3)
        with pytest.raises(Refused) as refused:
            await vera.ask("stream.stop", stream=stream)
        assert refused.value.code == "forbidden"
        async with room.stack.rest_soon(room.vera) as rest:
            assert (await rest.post(f"/v1/streams/{stream}/stop")).status_code == 403
        await olga.end_of(watched, stream)
    assert watched.of_type("complete")[0]["finish_reason"] == "stop"


async def test_stopping_again_changes_nothing(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, ENDLESS)
        await olga.has_words(watched, stream, 3)
        await asyncio.gather(*(client.ask("stream.stop", stream=stream) for client in (olga, tariq, olga, tariq)))
        await olga.end_of(watched, stream)
        await olga.ask("stream.stop", stream=stream)
        async with room.stack.rest_soon(room.tariq) as rest:
            again = await rest.post(f"/v1/streams/{stream}/stop")
        assert (again.status_code, again.json()["status"]) == (202, "stopped")
    log = await room.stack.log(room.log)
    assert [event["type"] for event in log].count("complete") == 1


async def test_a_stream_is_stopped_over_rest(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        stream, watched = await olga.start(prompt, ENDLESS)
        await olga.has_words(watched, stream, 3)
        async with room.stack.rest_soon(room.olga) as rest:
            stopped = await rest.post(f"/v1/streams/{stream}/stop")
            assert stopped.status_code == 202
            await olga.end_of(watched, stream)
            read = (await rest.get(f"/v1/streams/{stream}")).json()
    assert (read["status"], read["finish_reason"], read["content"]) == ("stopped", "stopped", watched.text(stream))
    assert read["usage"]["completion_tokens"] > 0
    assert (await room.stack.node.ended(prompt))["state"] == "cancelled"


async def test_one_that_waits_its_turn_is_stopped_without_asking_the_node(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        first = await olga.prompt(room.session, f"{prompt} first", ENDLESS)
        second = await olga.prompt(room.session, f"{prompt} second", ENDLESS)
        await olga.has_words(watched, first, 3)
        await olga.ask("stream.stop", stream=second)
        await olga.end_of(watched, second)
        assert not watched.ended(first)
        await olga.ask("stream.stop", stream=first)
        await olga.end_of(watched, first)
    assert room.stack.node.requests(f"{prompt} second") == []
    assert [event["finish_reason"] for event in watched.of_type("complete")] == ["stopped", "stopped"]


async def test_losing_every_viewer_does_not_stop_it(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        stream, watched = await olga.start(prompt, "script-slow@rate=100,tokens=100")
        await olga.has_words(watched, stream, 3)
    async with live(room.stack, room.olga, logs={watched.name: watched}) as olga:
        await olga.watch(watched.name, resume=True)
        await olga.end_of(watched, stream)
    assert watched.text(stream) == room.stack.node.said(prompt)
