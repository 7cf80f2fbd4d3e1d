"""The edge in the real runtime before a real server: one feed for all, nothing lost, and nobody sees what is not theirs."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.clients.edge.conftest import AtTheEdge
from tests.integration.client import Refused, live
from tests.integration.conftest import Room
from tests.integration.stack import eventually

pytestmark = pytest.mark.timeout(120)

SLOW = "script-slow@rate=50,tokens=100"


async def test_the_log_comes_once_for_all_who_watch(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with (
        live(stack, room.olga) as olga,
        live(stack, room.tariq) as tariq,
        live(stack, room.vera) as vera,
        live(stack, room.vera, url=stack.direct_url) as direct,
    ):
        watched = [await olga.watch(room.log), await tariq.watch(room.log)]
        stream = await olga.prompt(room.session, prompt, SLOW)
        await olga.has_words(watched[0], stream, 10)
        # Who comes late has what the server itself would have shown.
        late = await vera.watch(room.log)
        await vera.until(lambda: late.state.messages, "the snapshot")
        assert late.frames[0]["type"] == "snapshot"
        for one, log in ((olga, watched[0]), (tariq, watched[1]), (vera, late)):
            await one.end_of(log, stream)
            assert log.text(stream) == stack.node.said(prompt)
            assert log.gaps == 0
        theirs = await direct.watch(room.log)
        await direct.until(lambda: theirs.frames, "the server's snapshot")
        again = await tariq.watch(room.log)
        await tariq.until(lambda: len(again.of_type("snapshot")) == 2, "the edge's snapshot")
        assert again.of_type("snapshot")[-1] == theirs.frames[0]
    assert stack.relay.count("snapshot", room.log) == 1
    assert stack.relay.count("complete", stream) == 1


async def test_slow_viewers_have_fewer_and_larger_frames(stack: AtTheEdge, prompt: str) -> None:
    olga = stack.people["Olga"]
    async with live(stack, olga) as quick, live(stack, olga) as slow:
        stream, log = await quick.start(prompt, SLOW)
        late = await slow.watch(f"stream:{stream}", flush_ms=1000)
        await slow.end_of(late, stream)
        await quick.end_of(log, stream)
        assert late.text(stream) == log.text(stream) == stack.node.said(prompt)
        assert len(late.of_type("token")) <= 4 < 20 < len(log.of_type("token"))


async def test_one_who_feeds_sees_no_more_than_they_asked_for_and_others_no_less(stack: AtTheEdge, prompt: str) -> None:
    olga = stack.people["Olga"]
    async with live(stack, olga) as plain, live(stack, olga) as curious:
        stream, log = await plain.start(prompt, "script-thoughts")
        other = await curious.watch(f"stream:{stream}", show_thoughts=True)
        await plain.end_of(log, stream)
        await curious.end_of(other, stream)
        assert other.state.streams[stream].thoughts
        assert not log.of_type("thought")
        assert log.text(stream) == other.text(stream)
        assert log.gaps == other.gaps == 0


async def test_commands_need_no_id(room: Room, stack: AtTheEdge) -> None:
    async with live(stack, room.olga) as olga:
        log = await olga.watch(room.log)
        await olga.raw(json.dumps({"type": "unsubscribe", "log": room.log}))
        async with live(stack, room.tariq) as tariq:
            theirs = await tariq.watch(room.log)
            await olga.ask("ping")
            had = len(log.frames)
            stream = await tariq.prompt(room.session, "Anybody here?", "script-echo")
            await tariq.end_of(theirs, stream)
        await olga.ask("ping")
        assert len(log.frames) == had


async def test_one_who_feeds_may_leave(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with live(stack, room.tariq) as tariq:
        async with live(stack, room.olga) as olga:
            await olga.watch(room.log)
            log = await tariq.watch(room.log)
            stream = await olga.prompt(room.session, prompt, SLOW)
            await tariq.has_words(log, stream, 10)
        await tariq.end_of(log, stream)
        assert log.text(stream) == stack.node.said(prompt)
        assert log.gaps == 0


async def test_after_a_cut_of_all_connections_everybody_goes_on(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with live(stack, room.olga) as olga, live(stack, room.vera) as vera:
        logs = [await olga.watch(room.log), await vera.watch(room.log)]
        stream = await olga.prompt(room.session, prompt, SLOW)
        await vera.has_words(logs[1], stream, 10)
        stack.relay.cut()
        assert [await olga.closed(), await vera.closed()] == [1012, 1012]
    async with live(stack, room.olga, logs=olga.logs) as olga, live(stack, room.vera, logs=vera.logs) as vera:
        for one, log in ((vera, logs[1]), (olga, logs[0])):
            await one.watch(room.log, resume=True)
            await one.end_of(log, stream)
            assert log.text(stream) == stack.node.said(prompt)
            assert [frame["type"] for frame in log.frames].count("snapshot") == 1
            assert log.gaps == 0


async def test_who_may_not_is_refused_while_others_watch(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with live(stack, room.olga) as olga, live(stack, room.otto) as otto, live(stack) as nobody:
        await olga.watch(room.log)
        alone, log = await olga.start(prompt, "script-echo")
        await olga.end_of(log, alone)
        for one in (otto, nobody):
            for name in (room.log, f"stream:{alone}"):
                for position in ({}, {"epoch": log.position.epoch, "seq": log.position.seq}):
                    with pytest.raises(Refused, match="not_found|unauthenticated"):
                        await one.watch(name, **position)
        assert not any(watched.frames for one in (otto, nobody) for watched in one.logs.values())


async def test_a_right_that_ends_ends_here_as_well(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with live(stack, room.vera) as vera, live(stack, room.olga) as olga:
        # Vera came first: it is her line that feeds the others.
        hers = await vera.watch(room.log)
        log = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, SLOW)
        await vera.has_words(hers, stream, 5)
        async with stack.rest_soon(room.olga) as rest:
            assert (await rest.delete(f"/v1/sessions/{room.session}/members/{room.vera.id}")).status_code == 204
        await vera.until(lambda: hers.frames[-1]["type"] == "unsubscribed", "the end of the subscription")
        had = len(hers.frames)
        with pytest.raises(Refused, match="not_found"):
            await vera.watch(room.log, resume=True)
        await olga.end_of(log, stream)
        assert log.text(stream) == stack.node.said(prompt)
        await vera.ask("ping")
        assert len(hers.frames) == had


async def test_a_wrong_or_withdrawn_token_closes_the_socket(room: Room, stack: AtTheEdge) -> None:
    async with live(stack, hello=False) as liar:
        refused = await liar.send({"id": 1, "type": "hello", "token": "hlt_wrong"})
        assert refused["code"] == "unauthenticated"
        assert await liar.closed() == 4401
    async with stack.rest_soon(room.tariq) as rest:
        made = (await rest.post("/v1/tokens", json={"name": "short"})).json()
        async with live(stack, headers={"Authorization": f"Bearer {made['token']}"}, hello=False) as tariq:
            await tariq.watch(room.log)
            assert (await rest.delete(f"/v1/tokens/{made['id']}")).status_code == 204
            assert await tariq.closed() == 4401


async def test_pages_of_other_sites_are_refused_by_the_server(stack: AtTheEdge) -> None:
    async with live(stack, hello=False, origin="https://evil.example") as page:  # type: ignore[arg-type]
        assert await page.closed() == 4403


async def test_how_a_stream_ended_is_kept_for_who_comes_later(stack: AtTheEdge, prompt: str) -> None:
    olga = stack.people["Olga"]
    async with live(stack, olga) as first:
        stream, log = await first.start(prompt, "script-thoughts", show_thoughts=True)
        await first.end_of(log, stream)
    objects, snapshots = stack.objects_made(), stack.relay.count("snapshot", stream)
    for thoughts in (False, True):
        async with live(stack, olga) as later:
            kept = await later.watch(f"stream:{stream}", show_thoughts=thoughts)
            await later.end_of(kept, stream)
            assert kept.text(stream) == log.text(stream)
            assert bool(kept.state.streams[stream].thoughts) is thoughts
    assert (stack.objects_made(), stack.relay.count("snapshot", stream)) == (objects, snapshots)


async def test_an_object_sleeps_under_its_viewers_and_wakes(room: Room, stack: AtTheEdge, prompt: str) -> None:
    async with live(stack, room.olga) as olga, live(stack, room.vera) as vera:
        logs = [await olga.watch(room.log), await vera.watch(room.log)]
        first = await olga.prompt(room.session, prompt, "script-echo")
        await vera.end_of(logs[1], first)
        made, looks = stack.objects_made(), 0

        async def slept() -> bool:
            # To ask is to wake it, so it is left alone for longer than the 10 s after which workerd lets an object go.
            await asyncio.sleep(13)
            nonlocal looks
            looks += 1
            await olga.ask("presence.set", session=room.session, cursor={"look": looks})
            await vera.until(lambda: f"'look': {looks}" in str(logs[1].frames[-1]), "the cursor")
            return stack.objects_made() > made

        await eventually(slept, "the object slept", 60)
        second = await olga.prompt(room.session, f"Again: {prompt}", "script-echo")
        for one, log in ((olga, logs[0]), (vera, logs[1])):
            await one.end_of(log, second)
            assert log.gaps == 0
            assert [frame["type"] for frame in log.frames].count("snapshot") == 1
    assert stack.relay.count("snapshot", room.log) == 1
