"""Many watch one answer: at once, late, again after a cut; all have the node's text, and so has the transcript."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from hanzo_live.protocol import State, fold
from tests.integration.client import Live, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import PATIENCE_S, Stack

pytestmark = pytest.mark.timeout(150)

UNHURRIED = "script-slow@rate=100,tokens=150"


async def test_two_viewers_see_the_same_tokens_and_a_third_has_the_whole_text_at_once(
    each_server: Stack, prompt: str
) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as olga, live(each_server, room.tariq) as tariq:
        of_olga, of_tariq = await olga.watch(room.log), await tariq.watch(room.log)
        stream = await olga.prompt(room.session, prompt, UNHURRIED)
        await olga.has_words(of_olga, stream, 20)

        async with live(each_server, room.vera) as vera:
            of_vera = await vera.watch(room.log)
            await vera.has_words(of_vera, stream, 20)
            # A snapshot that was taken a moment ago may be used, and a few merged frames on top of it: not word by word.
            assert [event["type"] for event in of_vera.applied].count("snapshot") == 1
            assert len(of_vera.of_type("token")) < 10
            for client, watched in ((olga, of_olga), (tariq, of_tariq), (vera, of_vera)):
                await client.end_of(watched, stream)

    said = room.stack.node.said(prompt)
    for watched in (of_olga, of_tariq, of_vera):
        assert watched.text(stream) == said
        assert watched.reply(stream)["content"] == said
        assert watched.gaps == 0
        assert len(watched.of_type("complete", "error")) == 1
    assert [m["content"] for m in room.messages()] == [prompt, said]
    assert [m["content"] for m in each_server.messages_in_database(room.session)] == [prompt, said]
    assert fold(await each_server.log(room.log)).streams[stream].content == said


async def test_a_client_that_was_cut_off_resumes_and_misses_nothing(each_server: Stack, prompt: str) -> None:
    room = make_room(each_server)
    logs: dict[str, Watched] = {}
    async with live(each_server, room.olga) as olga:
        async with live(each_server, room.vera, logs=logs) as first:
            watched = await first.watch(room.log)
            stream = await olga.prompt(room.session, prompt, UNHURRIED)
            await first.has_words(watched, stream, 10)
            first.connection.transport.abort()
            await first.closed()
        had = watched.text(stream)
        frames = len(watched.frames)
        async with live(each_server, room.vera, logs=logs) as second:
            await second.watch(room.log, resume=True)
            await second.end_of(watched, stream)
    said = room.stack.node.said(prompt)
    assert said.startswith(had)
    assert had != said
    assert watched.text(stream) == said
    assert watched.gaps == 0
    # It went on from where it was: nothing was sent twice.
    assert "snapshot" not in {frame["type"] for frame in watched.frames[frames:]}
    assert "".join(e["data"] for e in watched.of_type("token") if e["stream"] == stream) == said


async def test_who_subscribes_again_and_again_misses_nothing(each_server: Stack, prompt: str) -> None:
    """Tokens come between the look at the log and the reply; both must speak of the same moment."""
    room = make_room(each_server)

    async def follow(client: Live, watched: Watched, stream: str) -> None:
        while not watched.ended(stream):
            had = watched.text(stream)
            await client.watch(room.log, resume=True)
            await client.until(lambda: watched.text(stream) != had or watched.ended(stream))  # noqa: B023

    async with AsyncExitStack() as sockets:
        clients = [await sockets.enter_async_context(live(each_server, room.olga)) for _ in range(5)]
        watched = [await client.watch(room.log) for client in clients]
        stream = await clients[0].prompt(room.session, prompt, "script-slow@rate=1500,tokens=3000")
        await asyncio.gather(*(follow(client, each, stream) for client, each in zip(clients, watched, strict=True)))
    assert {each.text(stream) for each in watched} == {each_server.node.said(prompt)}
    assert sum(each.gaps for each in watched) == 0
    assert {len(each.of_type("snapshot")) for each in watched} == {1}


async def test_who_resumes_after_the_end_gets_the_rest_merged(room: Room, prompt: str) -> None:
    logs: dict[str, Watched] = {}
    async with live(room.stack, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        async with live(room.stack, room.vera, logs=logs) as first:
            watched = await first.watch(room.log)
            stream = await olga.prompt(room.session, prompt, "script-slow@rate=200,tokens=100")
            await first.has_words(watched, stream, 3)
        await olga.end_of(of_olga, stream)
    tokens_before = len(watched.of_type("token"))
    async with live(room.stack, room.vera, logs=logs) as second:
        await second.watch(room.log, resume=True)
        await second.end_of(watched, stream)
    assert watched.text(stream) == room.stack.node.said(prompt)
    assert len(watched.of_type("token")) == tokens_before + 1


async def test_the_snapshot_and_what_follows_is_what_the_log_amounts_to(room: Room, prompt: str) -> None:
    """A session with every kind of turn: `fold(log)`, every client, REST and the database say the same."""
    turns = [
        ("script-fast@tokens=80", "complete"),
        ("script-thoughts", "complete"),
        ("script-think-tags", "complete"),
        ("script-error-midway", "failed"),
        ("script-cut", "failed"),
        ("script-slow@rate=50,tokens=5000", "stopped"),
        ("script-echo", "complete"),
        ("script-error-first", "failed"),
    ]
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        of_olga = await olga.watch(room.log, show_thoughts=True)
        of_tariq = await tariq.watch(room.log)
        streams = []
        for number, (model, status) in enumerate(turns):
            stream = await olga.prompt(room.session, f"{prompt} {number}", model)
            streams.append(stream)
            if status == "stopped":
                await olga.has_words(of_olga, stream, 5)
                await tariq.ask("stream.stop", stream=stream)
            await olga.end_of(of_olga, stream)
            await tariq.end_of(of_tariq, stream)
            assert of_olga.reply(stream)["status"] == status, model
    state = fold(await room.stack.log(room.log))
    assert_tells_the_same(state, room)
    assert_tells_the_same(of_olga.state, room)
    assert [m["content"] for m in of_tariq.state.transcript] == [m["content"] for m in room.messages()]
    thinking = state.streams[streams[1]]
    assert "".join(thinking.thoughts)
    assert thinking.snapshot() == of_olga.state.streams[streams[1]].snapshot()
    assert not of_tariq.of_type("thought")
    failed = state.streams[streams[3]]
    assert failed.error is not None
    assert room.stack.node.said(f"{prompt} 3").startswith(failed.content)
    assert failed.content


async def test_tool_calls_are_the_same_in_the_log_and_in_the_database(room: Room, prompt: str) -> None:
    tools = [{"name": "weather", "description": "Says the weather.", "parameters": {"city": "string"}}]
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-tools", tools=tools)

        def waiting() -> list[str]:
            seen = watched.state.streams.get(stream)
            calls = seen.tool_calls.values() if seen else ()
            return [call["call"] for call in calls if call["status"] == "awaiting_client"]

        await olga.until(waiting, "a call that waits for a client")
        await olga.ask("tool.result", stream=stream, call=waiting()[0], output="Rain.")
        await olga.end_of(watched, stream)
    (call,) = watched.state.streams[stream].tool_calls.values()
    assert (call["tool"], call["args"], call["result"]) == ("weather", {"city": prompt}, "Rain.")
    assert watched.of_type("complete")[0]["finish_reason"] == "stop"
    state = fold(await room.stack.log(room.log))
    assert state.streams[stream] == watched.state.streams[stream]
    assert_tells_the_same(state, room)


def assert_tells_the_same(state: State, room: Room) -> None:
    """The folded transcript is REST's, and REST's is the database's."""
    in_rest = room.messages()
    assert state.transcript == in_rest
    columns = ("n", "role", "content", "parts", "status", "finish_reason")
    in_database = [
        {**row, "finish_reason": row["finish_reason"] or None} for row in room.stack.messages_in_database(room.session)
    ]
    assert [{name: message[name] for name in columns} for message in in_rest] == in_database


async def test_views_of_every_kind_end_in_the_same_text(each_server: Stack, prompt: str) -> None:
    """However rarely or richly somebody wants to be told."""
    room = make_room(each_server)
    views: list[dict[str, Any]] = [
        {},
        {"flush_ms": 16},
        {"flush_ms": 250},
        {"flush_ms": 1000, "buffer_size": 5},
        {"flush_ms": 500, "show_thoughts": True},
        {"show_thoughts": True},
        {"tail": 0},
    ]
    async with AsyncExitStack() as sockets:
        clients = [await sockets.enter_async_context(live(each_server, room.vera)) for _ in views]
        watched = [await client.watch(room.log, **view) for client, view in zip(clients, views, strict=True)]
        olga = await sockets.enter_async_context(live(each_server, room.olga))
        stream = await olga.prompt(room.session, prompt, "script-thoughts@rate=100,tokens=100,thoughts=30")
        for client, each in zip(clients, watched, strict=True):
            await client.end_of(each, stream)
    assert {each.text(stream) for each in watched} == {each_server.node.said(prompt)}
    assert sum(each.gaps for each in watched) == 0
    thinking = [bool(each.of_type("thought")) for each in watched]
    assert thinking == [bool(view.get("show_thoughts")) for view in views]
    rare, always = len(watched[2].of_type("token")), len(watched[0].of_type("token"))
    assert rare < always


async def test_who_does_not_read_for_a_while_is_caught_up_in_few_frames(each_server: Stack, prompt: str) -> None:
    """A slow client costs the others nothing, and itself only the many small frames."""
    room = make_room(each_server)
    parts = urlsplit(each_server.url)
    narrow = socket.socket()
    # Not narrower: with 4 KiB Linux may offer 2,028 bytes for ever, less than half of the widest window it has offered,
    # and a sender then sends by its 200 ms timer alone (seen with tcpdump).
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    narrow.connect((parts.hostname, parts.port))
    async with (
        live(each_server, room.olga) as olga,
        connect(
            each_server.socket_url, sock=narrow, additional_headers=room.vera.headers,
            max_queue=1, compression=None, max_size=None, ping_interval=None,
        ) as slow,
    ):  # fmt: skip
        of_olga = await olga.watch(room.log)
        await slow.send(json.dumps({"id": 1, "type": "subscribe", "log": room.log}))
        watched = Watched(room.log)
        watched.position.subscribed(json.loads(await slow.recv()))
        stream = await olga.prompt(room.session, prompt, "script-fast@tokens=200000")
        await olga.end_of(of_olga, stream)
        async with asyncio.timeout(PATIENCE_S):
            while not watched.ended(stream):
                assert watched.take(json.loads(await slow.recv()))
    said = each_server.node.said(prompt)
    assert watched.text(stream) == of_olga.text(stream) == said
    events = sum(event["type"] == "token" for event in await each_server.log(room.log))
    assert len(watched.of_type("token")) < events / 2
