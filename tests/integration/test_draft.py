"""The shared draft over real sockets: who may edit it, what the others see, and that it becomes one message."""

from __future__ import annotations

import asyncio
import base64

import pytest
import redis

from tests.integration.client import Refused, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.pages import Page, page
from tests.integration.stack import Stack, redis_url

pytestmark = pytest.mark.timeout(150)


async def test_two_write_one_draft_and_send_it_once(each_server: Stack, prompt: str) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as first, live(each_server, room.tariq) as second:
        olga, tariq = await page(room, first), await page(room, second)
        await olga.write(prompt)
        await tariq.shows(prompt)
        await tariq.write(" 😀")
        await olga.shows(f"{prompt} 😀")
        said = next(frame for frame in tariq.watched.frames if frame["type"] == "draft")
        assert (said["user"]["name"], said["log"], said["n"]) == ("Olga", room.log, 1)

        replies = await asyncio.gather(olga.send(model="script-echo"), tariq.send(model="script-echo"))
        assert len({(reply["message"], reply["stream"]) for reply in replies}) == 1
        await first.end_of(olga.watched, replies[0]["stream"])
        assert [(m["role"], m["content"], m["key"]) for m in room.messages()] == [
            ("user", f"{prompt} 😀", "draft:1"),
            ("assistant", f"{prompt} 😀", None),
        ]
        with pytest.raises(Refused) as refused:
            await tariq.write(" too late")
        assert refused.value.code == "conflict"
        assert "generation 2" in refused.value.reply["message"]
        await tariq.sync()
        assert (tariq.generation, str(tariq.text)) == (2, "")


async def test_all_are_told_of_the_next_draft(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as first, live(room.stack, room.vera) as second:
        olga = await page(room, first)
        vera = await second.watch(room.log)
        await olga.write(prompt)
        await olga.send(model="script-echo")
        await second.until(
            lambda: any(frame["type"] == "draft" and frame["generation"] == 2 for frame in vera.frames),
            "the next draft",
        )


async def test_a_refused_send_leaves_the_draft(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as first:
        olga = await page(room, first)
        running = await first.prompt(room.session, f"{prompt} endless", "script-slow@rate=50,tokens=100000")
        await olga.write(prompt)
        with pytest.raises(Refused) as refused:
            await olga.send(overlap="reject")
        assert refused.value.code == "conflict"
        await first.ask("stream.stop", stream=running)
        await first.end_of(olga.watched, running)
        sent = await olga.send(model="script-echo")
        await first.end_of(olga.watched, sent["stream"])


async def test_nobody_can_claim_that_a_draft_was_posted(room: Room, prompt: str) -> None:
    taken = "draft:1"
    async with live(room.stack, room.tariq) as first:
        tariq = await page(room, first)
        await tariq.write(prompt)
        for command in (
            {"type": "message.send", "session": room.session, "content": "x", "reply": False},
            {"type": "message.send", "session": room.session, "content": "x"},
            {"type": "stream.start", "session": room.session, "content": "x"},
            {"type": "stream.start", "content": "x"},
            {"type": "draft.send", "session": room.session, "generation": 1},
        ):
            reply = await first.send({"id": str(command), "key": taken, **command})
            assert (reply["code"], reply["field"]) == ("bad_request", "key"), command
        with room.stack.rest(room.tariq) as rest:
            for address, body in (
                (f"/v1/sessions/{room.session}/messages", {"content": "x", "reply": False}),
                (f"/v1/sessions/{room.session}/messages", {"content": "x"}),
                ("/v1/streams", {"content": "x", "session": room.session}),
                ("/v1/streams", {"content": "x"}),
            ):
                refused = rest.post(address, json={**body, "key": taken})
                assert (refused.status_code, refused.json()["field"]) == (400, "key"), address
        assert room.messages() == []
        sent = await tariq.send(model="script-echo")
        await first.end_of(tariq.watched, sent["stream"])
        assert room.messages()[0]["key"] == taken


async def test_a_viewer_reads_it_and_an_outsider_learns_nothing(room: Room, prompt: str) -> None:
    async with (
        live(room.stack, room.olga) as first,
        live(room.stack, room.vera) as second,
        live(room.stack, room.otto) as third,
    ):
        olga, vera = await page(room, first), await page(room, second, edits=False)
        await olga.write(prompt)
        await vera.sync()
        assert str(vera.text) == prompt
        for attempt in (vera.write("!"), vera.send()):
            with pytest.raises(Refused) as refused:
                await attempt
            assert refused.value.code == "forbidden"
        otto = Page(room, third, Watched(room.log))
        otto.generation = 1
        for attempt in (otto.sync(), otto.write("!"), otto.send()):
            with pytest.raises(Refused) as refused:
                await attempt
            assert refused.value.code == "not_found"
        await olga.sync()
        assert str(olga.text) == prompt


async def test_bad_updates_are_documented_errors(room: Room) -> None:
    async with live(room.stack, room.olga) as first:
        olga = await page(room, first)
        bad = [("AAE", "bad_request"), ("////", "bad_request"), (base64.b64encode(bytes(70_000)).decode(), "too_large")]
        for update, code in bad:
            reply = await first.send(
                {
                    "id": code + update[:4],
                    "type": "draft.update",
                    "session": room.session,
                    "generation": 1,
                    "update": update,
                }
            )
            assert (reply["code"], reply["field"]) == (code, "update")
        await olga.write("still fine")


async def test_a_flood_of_edits_is_slowed_down_and_nothing_is_lost_by_it(room: Room) -> None:
    async with live(room.stack, room.olga) as first:
        olga = await page(room, first)
        olga.text += "x" * 40_000
        update = base64.b64encode(olga.doc.get_update()).decode()
        command = {"type": "draft.update", "session": room.session, "generation": 1, "update": update}
        replies = await asyncio.gather(*(first.send({"id": f"flood {number}", **command}) for number in range(40)))
        slowed = [reply for reply in replies if reply["type"] == "error"]
        assert {reply["code"] for reply in slowed} == {"rate_limited"}
        assert all(reply["retry_after"] > 0 and "edits a second" in reply["message"] for reply in slowed)
        assert {frame["n"] for frame in olga.watched.frames if frame["type"] == "draft"} == {1}


async def test_it_goes_with_its_session(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as first:
        olga = await page(room, first)
        await olga.write(prompt)
        with redis.Redis.from_url(redis_url(room.stack.serve.data)) as client:
            assert client.keys(f"live:{{{room.log}}}:draft*")
            with room.stack.rest(room.olga) as rest:
                gone = rest.delete(f"/v1/sessions/{room.session}")
            assert gone.status_code == 204, gone.text
            assert client.keys(f"live:{{{room.log}}}:draft*") == []
