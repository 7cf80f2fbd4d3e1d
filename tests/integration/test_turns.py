"""Prompts that come twice, or while another is being answered."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

ENDLESS = "script-slow@rate=50,tokens=100000"


async def watching(client: Live, room: Room) -> Watched:
    """The session's log, from its snapshot on: one that came later would hold what had begun by then, and no events."""
    watched = await client.watch(room.log)
    await client.until(lambda: watched.of_type("snapshot"), "the snapshot")
    return watched


async def test_one_key_from_two_sockets_at_once_is_one_turn(each_server: Stack, prompt: str) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as one, live(each_server, room.olga) as other:
        watched = await one.watch(room.log)
        send = {"session": room.session, "content": prompt, "key": "once", "model": "script-echo"}
        replies = await asyncio.gather(
            *(client.ask("message.send", **send) for client in (one, other, one, other, one, other))
        )
        assert len({(reply["message"], reply["stream"]) for reply in replies}) == 1
        await one.end_of(watched, replies[0]["stream"])
        async with each_server.rest_soon(room.olga) as rest:
            again = await rest.post(f"/v1/sessions/{room.session}/messages", json={**send, "session": None})
    assert again.json()["stream"] == replies[0]["stream"]
    assert [(m["role"], m["content"]) for m in room.messages()] == [("user", prompt), ("assistant", prompt)]
    assert len(each_server.node.requests(prompt)) == 1


async def test_the_same_key_of_two_people_is_two_turns(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        send = {"session": room.session, "content": prompt, "key": "once", "reply": False}
        sent = [(await client.ask("message.send", **send))["message"] for client in (olga, tariq)]
    assert len(set(sent)) == 2
    assert len(room.messages()) == 2


async def test_one_key_starts_one_stream(each_server: Stack, prompt: str) -> None:
    olga = each_server.people["Olga"]
    async with live(each_server, olga) as one, live(each_server, olga) as other:
        (stream, watched), (same, also) = await asyncio.gather(
            *(client.start(prompt, "script-slow@rate=100,tokens=50", key=prompt) for client in (one, other))
        )
        assert stream == same
        await one.end_of(watched, stream)
        await other.end_of(also, stream)
    assert watched.text(stream) == also.text(stream) == each_server.node.said(prompt)
    assert len(each_server.node.requests(prompt)) == 1


async def test_prompts_queue_by_default(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        watched = await watching(olga, room)
        first = await olga.prompt(room.session, f"{prompt} first", "script-slow@rate=100,tokens=60")
        second = await tariq.prompt(room.session, f"{prompt} second", "script-fast@tokens=30")
        third = await olga.prompt(room.session, f"{prompt} third", "script-fast@tokens=30")
        await olga.end_of(watched, third)
    told = [(e["type"], e["stream"]) for e in watched.of_type("stream_start", "complete")]
    assert told == [(kind, stream) for stream in (first, second, third) for kind in ("stream_start", "complete")]
    for stream, words in ((first, "first"), (second, "second"), (third, "third")):
        assert watched.text(stream) == room.stack.node.said(f"{prompt} {words}")


async def test_a_prompt_may_be_refused_while_another_is_answered(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        first = await olga.prompt(room.session, f"{prompt} first", ENDLESS)
        with pytest.raises(Refused) as refused:
            await tariq.prompt(room.session, f"{prompt} second", "script-echo", overlap="reject")
        assert refused.value.code == "conflict"
        async with room.stack.rest_soon(room.tariq) as rest:
            body = {"content": f"{prompt} second", "overlap": "reject"}
            answer = await rest.post(f"/v1/sessions/{room.session}/messages", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        await olga.ask("stream.stop", stream=first)
        await olga.end_of(watched, first)
        last = await tariq.prompt(room.session, f"{prompt} second", "script-echo", overlap="reject")
        await olga.end_of(watched, last)
    assert [m["content"] for m in room.messages() if m["role"] == "user"] == [f"{prompt} first", f"{prompt} second"]


async def test_a_prompt_may_interrupt_the_answer_that_is_written(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        first = await olga.prompt(room.session, f"{prompt} first", ENDLESS)
        await olga.has_words(watched, first, 5)
        second = await tariq.prompt(room.session, f"{prompt} second", "script-echo", overlap="interrupt")
        await olga.end_of(watched, second)
    stopped, answered = watched.of_type("complete")
    assert (stopped["stream"], stopped["finish_reason"]) == (first, "stopped")
    assert stopped["stopped_by"]["id"] == room.tariq.id
    assert (answered["stream"], answered["finish_reason"]) == (second, "stop")
    assert watched.text(first).count(" ") >= 5
    assert (await room.stack.node.ended(f"{prompt} first"))["state"] == "cancelled"


async def test_ok_comes_before_what_it_causes(each_server: Stack, prompt: str) -> None:
    """The first frame after a command is its reply, whatever it sets in motion."""
    room = make_room(each_server)
    async with live(each_server, room.olga) as olga:
        watched = await olga.watch(room.log)
        frames = []
        take = olga._take

        async def noting(frame: dict[str, object]) -> None:
            if frame["type"] == "ok" or "seq" in frame:  # who is here is told whenever that is due
                frames.append(frame["type"])
            await take(frame)

        await olga.until(lambda: watched.frames, "the snapshot")
        olga._take = noting  # type: ignore[method-assign]
        await olga.end_of(watched, await olga.prompt(room.session, prompt, "script-fast"))
    assert frames[:4] == ["ok", "message", "message", "stream_start"]


async def test_one_key_at_two_servers_at_once_is_one_turn(room: Room, other: Stack, prompt: str) -> None:
    async with (
        live(room.stack, room.olga) as here,
        live(other, room.olga) as there,
        room.stack.rest_soon(room.olga) as rest_here,
        other.rest_soon(room.olga) as rest_there,
    ):
        watched = await there.watch(room.log)
        send = {"content": prompt, "key": "once", "model": "script-echo"}
        address = f"/v1/sessions/{room.session}/messages"
        answers = await asyncio.gather(
            *(client.ask("message.send", session=room.session, **send) for client in (here, there) * 3),
            *(rest.post(address, json=send) for rest in (rest_here, rest_there)),
        )
        replies = [answer if isinstance(answer, dict) else answer.json() for answer in answers]
        assert len({reply["stream"] for reply in replies}) == 1
        await there.end_of(watched, replies[0]["stream"])
    assert [(m["role"], m["content"]) for m in room.messages()] == [("user", prompt), ("assistant", prompt)]
    assert len(room.stack.node.requests(prompt)) == 1


async def test_of_two_prompts_at_two_servers_that_do_not_wait_one_is_refused(
    room: Room, other: Stack, prompt: str
) -> None:
    async with live(room.stack, room.olga) as olga, live(other, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        for turn in range(3):
            said = [f"{prompt} {turn} {name}" for name in ("olga", "tariq")]
            answers = await asyncio.gather(
                *(
                    client.prompt(room.session, text, ENDLESS, overlap="reject")
                    for client, text in zip((olga, tariq), said, strict=True)
                ),
                return_exceptions=True,
            )
            (stream,) = [answer for answer in answers if isinstance(answer, str)]
            (refused,) = [answer for answer in answers if isinstance(answer, Refused)]
            assert refused.code == "conflict"
            await tariq.ask("stream.stop", stream=stream)
            await olga.end_of(watched, stream)
    assert len([m for m in room.messages() if m["role"] == "user"]) == 3


async def test_prompts_from_two_servers_are_answered_one_after_the_other(room: Room, other: Stack, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(other, room.tariq) as tariq:
        watched = await watching(tariq, room)
        streams = await asyncio.gather(
            *(
                client.prompt(room.session, f"{prompt} {number}", "script-fast@tokens=10")
                for number, client in enumerate((olga, tariq) * 3)
            )
        )
        for stream in streams:
            await tariq.end_of(watched, stream)
    told = [(event["type"], event["stream"]) for event in watched.of_type("stream_start", "complete")]
    order = [stream for kind, stream in told if kind == "stream_start"]
    assert sorted(order) == sorted(streams)
    assert told == [(kind, stream) for stream in order for kind in ("stream_start", "complete")]
    assert order == [m["stream"] for m in room.messages() if m["stream"]], "in the order in which they were said"


async def test_a_prompt_interrupts_what_another_server_began(room: Room, other: Stack, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga, live(other, room.tariq) as tariq:
        watched = await olga.watch(room.log)
        first = await olga.prompt(room.session, f"{prompt} first", ENDLESS)
        await olga.has_words(watched, first, 5)
        waiting = await olga.prompt(room.session, f"{prompt} waiting", "script-echo")
        await tariq.ask("stream.stop", stream=waiting)  # what is queued is taken back, from the other server too
        await olga.end_of(watched, waiting)
        second = await tariq.prompt(room.session, f"{prompt} second", "script-echo", overlap="interrupt")
        await olga.end_of(watched, second)
    ends = {event["stream"]: event["finish_reason"] for event in watched.of_type("complete")}
    assert ends == {first: "stopped", waiting: "stopped", second: "stop"}
    assert len(room.stack.node.requests(prompt)) == 2, "the node was not asked what was taken back"
