"""Whatever a client sends: a documented answer, a server that goes on, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.integration.client import Live, Refused, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import WEB, Stack, eventually

pytestmark = pytest.mark.timeout(150)

LEAK_KIB = 40_000
# Eighty sockets come and go meanwhile. Threads that had nothing to do before open the database, and keep it.
KEPT_FILES = 40


async def assert_is_well(client: Live) -> None:
    assert (await client.ask("ping"))["type"] == "pong"


MALFORMED: dict[str, str | bytes] = {
    "no JSON": "{",
    "nothing": "",
    "a list": "[]",
    "a number": "7",
    "null": "null",
    "no type": "{}",
    "a type that is no text": '{"type": 7}',
    "a type that is null": '{"type": null}',
    "not a number": '{"type": NaN}',
    "two objects": '{"type":"ping"}{"type":"ping"}',
    "deep nesting": "[" * 100_000,
    "deep objects": '{"a":' * 50_000,
    "a lone surrogate": '{"id": 1, "type": "stream.start", "content": "\\ud800"}',
    "binary": b'{"type":"ping"}',
    "binary that is no text": b"\xff\x00\xfe",
}


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
async def test_three_malformed_frames_in_a_row_close_the_socket(stack: Stack, frame: str | bytes) -> None:
    async with live(stack) as client:
        for _ in range(3):
            await client.raw(frame)
        assert await client.closed() == 4400
    assert len(client.errors) >= 3
    for error in client.errors:
        assert (error["code"], error["retryable"]) == ("bad_request", False)
        assert error["message"]


async def test_a_good_frame_in_between_forgives_two_bad_ones(each_server: Stack) -> None:
    async with live(each_server) as client:
        for _ in range(5):
            await client.raw("{")
            await client.raw(b"binary")
            await assert_is_well(client)
        await client.raw("{")
        await client.raw("[")
        await client.raw("}")
        assert await client.closed() == 4400


async def test_unknown_commands_are_refused_and_never_close(each_server: Stack) -> None:
    async with live(each_server) as client:
        for number, kind in enumerate(("nonsense", "Hello", "stream.begin", "", "\u0000", "a" * 10_000)):
            reply = await client.send({"id": f"u{number}", "type": kind})
            assert (reply["code"], reply["field"]) == ("unknown_command", "type"), kind
            assert len(reply["message"]) < 1000
        await assert_is_well(client)


ANY = str(uuid4())
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"type": "subscribe"}, "log"),
    ({"type": "subscribe", "log": 7}, "log"),
    ({"type": "subscribe", "log": None}, "log"),
    ({"type": "subscribe", "log": f"session:{ANY}", "seq": "3"}, "seq"),
    ({"type": "subscribe", "log": f"session:{ANY}", "seq": -1}, "seq"),
    ({"type": "subscribe", "log": f"session:{ANY}", "seq": 10**30}, "seq"),
    ({"type": "subscribe", "log": f"session:{ANY}", "flush_ms": -1}, "flush_ms"),
    ({"type": "subscribe", "log": f"session:{ANY}", "tail": 10_000}, "tail"),
    ({"type": "subscribe", "log": f"session:{ANY}", "show_thoughts": "yes"}, "show_thoughts"),
    ({"type": "stream.start", "content": 7}, "content"),
    ({"type": "stream.start", "content": {"a": 1}}, "content"),
    ({"type": "stream.start", "content": "NUL \u0000"}, "content"),
    ({"type": "stream.start", "messages": []}, "messages"),
    ({"type": "stream.start", "messages": [{"role": "king", "content": "x"}]}, "messages.0.role"),
    ({"type": "stream.start", "messages": "x"}, "messages"),
    ({"type": "stream.start", "content": "x", "temperature": "hot"}, "temperature"),
    ({"type": "stream.start", "content": "x", "temperature": 1e308}, "temperature"),
    ({"type": "stream.start", "content": "x", "max_tokens": 0}, "max_tokens"),
    ({"type": "stream.start", "content": "x", "max_tokens": 10**40}, "max_tokens"),
    ({"type": "stream.start", "content": "x", "overlap": "maybe"}, "overlap"),
    ({"type": "stream.start", "content": "x", "tools": [{"nothing": 1}]}, "tools.0.name"),
    ({"type": "stream.start", "content": "x", "key": ""}, "key"),
    ({"type": "stream.start", "content": "x", "model": ["m"]}, "model"),
    ({"type": "message.send", "content": "x"}, "session"),
    ({"type": "stream.stop"}, "stream"),
    ({"type": "stream.stop", "stream": {"id": ANY}}, "stream"),
    ({"type": "hello", "token": 7}, "token"),
    ({"type": "hello", "token": "x" * 20_000}, "token"),
]


async def test_wrong_types_are_refused_by_the_name_of_the_field(each_server: Stack) -> None:
    async with live(each_server, each_server.people["Olga"]) as client:
        for number, (command, field) in enumerate(WRONG):
            reply = await client.send({"id": f"w{number}", **command})
            assert (reply.get("code"), reply.get("field")) == ("bad_request", field), command
        await assert_is_well(client)


UNKNOWN = [
    ({"type": "subscribe", "log": f"session:{ANY}"}, "not_found"),
    ({"type": "subscribe", "log": f"stream:{ANY}"}, "not_found"),
    ({"type": "subscribe", "log": "session:no-such-slug"}, "not_found"),
    ({"type": "subscribe", "log": "stream:no-such-id"}, "not_found"),
    ({"type": "subscribe", "log": "session:" + "🙂" * 50}, "not_found"),
    ({"type": "unsubscribe", "log": f"session:{ANY}"}, "not_found"),
    ({"type": "stream.stop", "stream": ANY}, "not_found"),
    ({"type": "stream.stop", "stream": "no such"}, "not_found"),
    ({"type": "message.send", "session": ANY, "content": "x"}, "not_found"),
    ({"type": "stream.start", "session": "no-such-slug", "content": "x"}, "not_found"),
]


async def test_unknown_ids_are_not_found(each_server: Stack) -> None:
    async with live(each_server, each_server.people["Olga"]) as client:
        for number, (command, code) in enumerate(UNKNOWN):
            reply = await client.send({"id": f"n{number}", **command})
            assert reply["code"] in (code, "bad_request"), command
            assert reply["message"]
        await assert_is_well(client)


@pytest.mark.parametrize(
    "id", ["", "0", 0, -1, 2**53, 10**400, 1.5, True, [], {}, None, "x" * 5000, "\ud800", "\u0000"]
)
async def test_whatever_the_id_the_answer_is_readable(stack: Stack, id: Any) -> None:
    async with live(stack) as client:
        raw = json.dumps({"id": id, "type": "ping"})
        await client.raw(raw)
        await assert_is_well(client)


async def test_a_frame_of_ten_megabytes_closes_with_1009(each_server: Stack) -> None:
    async with live(each_server) as client:
        huge = json.dumps({"id": 1, "type": "stream.start", "content": "x" * 10_000_000})
        with pytest.raises((ConnectionError, ConnectionClosed)):
            await client.send(json.loads(huge))
        assert await client.closed() == 1009
    async with live(each_server) as client:
        await assert_is_well(client)


async def test_a_frame_just_below_the_limit_is_taken(stack: Stack) -> None:
    async with live(stack) as client:
        limit = client.welcome["limits"]["max_frame_bytes"]
        frame = json.dumps({"id": "big", "type": "ping", "padding": ""})
        await client.raw(frame.replace('""', '"' + "x" * (limit - len(frame)) + '"'))
        await assert_is_well(client)


async def test_a_flood_of_pings_is_slowed_down_and_answered(each_server: Stack) -> None:
    count = 5_000
    async with live(each_server) as client:
        replies: Counter[str] = Counter()
        seen = asyncio.get_running_loop().create_future()
        take = client._take

        async def counting(frame: dict[str, Any]) -> None:
            await take(frame)
            replies[frame.get("code") or frame["type"]] += 1
            if frame["id"] == "last":
                seen.set_result(None)

        client._take = counting  # type: ignore[method-assign]
        for number in range(count):
            await client.raw(json.dumps({"id": number, "type": "ping"}))
        await client.raw('{"id": "last", "type": "ping"}')
        async with asyncio.timeout(60):
            await seen
        assert set(replies) == {"pong", "rate_limited"}
        assert replies.total() == count + 1
        assert replies["pong"] >= 200
    async with live(each_server) as client:
        await assert_is_well(client)


async def test_of_a_thousand_subscriptions_a_hundred_are_taken(each_server: Stack) -> None:
    """The others are refused with words; letting go of one makes room for another."""
    olga = each_server.people["Olga"]
    async with each_server.rest_soon(olga) as rest:
        logs = [(await rest.post("/v1/sessions", json={"title": str(n)})).json()["log"] for n in range(103)]
    async with live(each_server, olga) as client:
        limit = client.welcome["limits"]["max_subscriptions"]
        assert limit == 100
        for log in logs[:limit]:
            await patiently(client, "subscribe", log=log)
        for log in logs[limit:]:
            with pytest.raises(Refused) as refused:
                await patiently(client, "subscribe", log=log)
            assert (refused.value.code, refused.value.reply["field"]) == ("rate_limited", "log")
            assert refused.value.reply["retryable"] is True
        await patiently(client, "subscribe", log=logs[0])
        await patiently(client, "unsubscribe", log=logs[1])
        await patiently(client, "subscribe", log=logs[-1])
        # All at once, without waiting for an answer.
        flood = [client.send({"id": f"f{n}", "type": "subscribe", "log": logs[n % len(logs)]}) for n in range(1_000)]
        replies = await asyncio.gather(*flood)
        assert {reply.get("code", "ok") for reply in replies} <= {"ok", "rate_limited"}
        await eventually(lambda: is_answered(client), "pings are answered again")


async def is_answered(client: Live) -> bool:
    return bool((await client.send({"id": str(uuid4()), "type": "ping"}))["type"] == "pong")


async def patiently(client: Live, type: str, **fields: Any) -> None:
    """As a good client: when asked to slow down, it does."""

    async def taken() -> bool:
        try:
            await client.ask(type, **fields)
        except Refused as refused:
            if "commands a second" not in refused.reply["message"]:
                raise
            return False
        return True

    await eventually(taken, f"{type} is taken")


BODIES: list[tuple[str, bytes, str]] = [
    ("/v1/streams", b"{", "bad_request"),
    ("/v1/streams", b"[]", "bad_request"),
    ("/v1/streams", b"\xff\xfe", "bad_request"),
    ("/v1/streams", b'{"content": "\\ud800"}', "bad_request"),
    ("/v1/streams", b'{"content": "\\u0000"}', "bad_request"),
    ("/v1/streams", b'{"content": 7}', "bad_request"),
    ("/v1/streams", b'{"content": "x", "max_tokens": ' + b"9" * 500 + b"}", "bad_request"),
    ("/v1/streams", b'{"messages": ' + b"[" * 50_000, "bad_request"),
    ("/v1/sessions", b'{"title": 7, "slug": []}', "bad_request"),
    ("/v1/streams", b'{"content": "' + b"x" * 2_000_000 + b'"}', "too_large"),
]


@pytest.mark.parametrize(("address", "body", "code"), BODIES, ids=range(len(BODIES)))
def test_bad_bodies_have_the_documented_error(stack: Stack, address: str, body: bytes, code: str) -> None:
    with stack.rest(stack.people["Olga"]) as rest:
        answer = rest.post(address, content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["code"] == code
    assert answer.status_code == {"bad_request": 400, "too_large": 413}[code]
    assert "Traceback" not in answer.text


async def test_closed_sockets_leave_nothing_behind(each_server: Stack, prompt: str) -> None:
    """Subscribed, cut off in every way, in the middle of streams: afterwards all is as it was."""
    room = make_room(each_server)
    await come_and_go(room, prompt)  # once for what is made at first use and kept
    await eventually(lambda: is_idle(each_server), "all sockets are gone")
    files, memory = each_server.open_files(WEB), each_server.memory_kib(WEB)
    for _ in range(4):
        await come_and_go(room, prompt)
    await eventually(lambda: is_idle(each_server), "all sockets are gone")

    async def files_are_closed() -> bool:
        return each_server.open_files(WEB) <= files + KEPT_FILES

    await eventually(files_are_closed, f"as many open files as before ({files})")
    assert each_server.memory_kib(WEB) < memory + LEAK_KIB

    async def group_is_left() -> bool:
        return room.log.replace(":", ".") not in " ".join(await asyncio.to_thread(groups_heard, each_server))

    await eventually(group_is_left, "nobody listens, once those who were cut off had their time to come back")


async def come_and_go(room: Room, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=40")

        async def one(number: int) -> None:
            async with live(room.stack, room.vera) as vera:
                await vera.watch(room.log)
                if number % 3 == 0:
                    vera.connection.transport.abort()
                elif number % 3 == 1:
                    for _ in range(3):
                        await vera.raw("{")
                    await vera.closed()

        await asyncio.gather(*(one(number) for number in range(20)))
        await olga.end_of(watched, stream)


async def is_idle(stack: Stack) -> bool:
    return await asyncio.to_thread(stack.metric, "hanzo_live_sockets") == 0


def groups_heard(stack: Stack) -> list[str]:
    with stack.redis() as redis:
        return [str(channel) for channel in redis.pubsub_channels()]
