"""Processes that are killed, connections that are cut, a Redis that forgets: nobody ends with a wrong text."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import websockets

from hanzo_live.protocol import fold
from tests.cli.processes import clean_environment, until
from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import REDIS, WEB, Person, Stack, eventually

pytestmark = pytest.mark.timeout(200)

TAKEN_OVER_WITHIN_S = 5.0


def carrier(stack: Stack, stream: str) -> int:
    """The process that carries the stream: a lease names its host, process id and a random part."""
    (row,) = stack.rows("SELECT lease FROM streaming_stream WHERE id = ?", stream.replace("-", ""))
    return int(row["lease"].split(":")[-2])


async def kill_its_worker(stack: Stack, client: Live, watched: Watched, stream: str, prompt: str) -> float:
    """SIGKILL whoever carries the stream; returns when, by the loop's clock."""
    await client.has_words(watched, stream, 20)
    os.kill(carrier(stack, stream), signal.SIGKILL)
    return asyncio.get_running_loop().time()


def seconds_left(since: float) -> float:
    return since + TAKEN_OVER_WITHIN_S - asyncio.get_running_loop().time()


async def assert_one_ending(stack: Stack, watched: Watched, stream: str, text: str) -> None:
    log = [event for event in await stack.log(watched.name) if event.get("stream") == stream]
    assert [event["type"] for event in log if event["type"] in ("complete", "error")] == ["complete"]
    assert [event["type"] for event in log].count("stream_start") == 1
    assert fold(log).streams[stream].content == text
    assert watched.text(stream) == text
    (row,) = stack.rows("SELECT content, status FROM streaming_stream WHERE id = ?", stream.replace("-", ""))
    assert (row["content"], row["status"]) == (text, "complete")


async def test_a_killed_workers_stream_is_continued_where_the_engine_can(pair: Stack, prompt: str) -> None:
    room = make_room(pair)
    async with live(pair, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-continue@rate=100,tokens=400")
        killed = await kill_its_worker(pair, olga, watched, stream, prompt)
        heard = (await pair.node.ended(prompt, 0))["tokens"]
        await olga.until(
            lambda: watched.text(stream).count(" ") > heard, "more than the first worker heard", seconds_left(killed)
        )
        await olga.end_of(watched, stream)
    assert not watched.of_type("reset")
    asked = pair.node.requests(prompt)
    assert asked[1]["messages"][-1]["role"] == "assistant"
    await assert_one_ending(pair, watched, stream, pair.node.said(prompt))


async def test_a_killed_workers_stream_begins_again_where_the_engine_cannot_continue(pair: Stack, prompt: str) -> None:
    room = make_room(pair)
    async with live(pair, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=300")
        killed = await kill_its_worker(pair, olga, watched, stream, prompt)
        await olga.until(lambda: watched.of_type("reset"), "the reset", seconds_left(killed))
        async with live(pair, room.vera) as vera:
            of_vera = await vera.watch(room.log)
            await olga.end_of(watched, stream)
            await vera.end_of(of_vera, stream)
    assert of_vera.text(stream) == watched.text(stream)
    await assert_one_ending(pair, watched, stream, pair.node.said(prompt))


async def test_a_stop_that_comes_while_nobody_carries_the_stream_ends_it(pair: Stack, prompt: str) -> None:
    room = make_room(pair)
    async with live(pair, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=100,tokens=100000")
        await kill_its_worker(pair, olga, watched, stream, prompt)
        await olga.ask("stream.stop", stream=stream)
        await olga.end_of(watched, stream)
    assert [event["finish_reason"] for event in watched.of_type("complete", "error")] == ["stopped"]
    text = watched.text(stream)
    assert text.count(" ") >= 20
    assert pair.node.said(prompt).startswith(text)
    assert len(pair.node.requests(prompt)) == 1


async def test_with_one_worker_its_successor_takes_the_stream_over(uvicorn: Stack, prompt: str) -> None:
    """The supervisor starts another one. How long that takes is the machine's; that it happens is ours."""
    room = make_room(uvicorn)
    async with live(uvicorn, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, "script-continue@rate=100,tokens=300")
        await kill_its_worker(uvicorn, olga, watched, stream, prompt)
        await olga.end_of(watched, stream, 60)
    assert not watched.of_type("reset")
    await assert_one_ending(uvicorn, watched, stream, uvicorn.node.said(prompt))


async def test_a_killed_web_process_costs_its_viewers_a_reconnect_and_no_token(each_server: Stack, prompt: str) -> None:
    room = make_room(each_server)
    logs: list[dict[str, Watched]] = [{} for _ in range(5)]
    async with AsyncExitStack() as sockets:
        viewers = [await sockets.enter_async_context(live(each_server, room.vera, logs=known)) for known in logs]
        for viewer in viewers:
            await viewer.watch(room.log)
        async with each_server.rest_soon(room.olga) as rest:
            body = {"content": prompt, "model": "script-slow@rate=60,tokens=600"}
            stream = (await rest.post(f"/v1/sessions/{room.session}/messages", json=body)).json()["stream"]
        await viewers[0].has_words(viewers[0].logs[room.log], stream, 20)
        each_server.kill(WEB)
        for viewer in viewers:
            await viewer.closed()
    positions = [known[room.log].position.seq or 0 for known in logs]
    await asyncio.gather(*(follow_to_the_end(each_server, room.vera, known[room.log], stream) for known in logs))
    said = each_server.node.said(prompt)
    for known, position in zip(logs, positions, strict=True):
        watched = known[room.log]
        assert watched.text(stream) == said
        assert position < (watched.position.seq or 0)
        # Resumed, not begun again: one snapshot, from the very start.
        assert len(watched.of_type("snapshot")) == 1
        assert len(watched.of_type("complete", "error")) == 1


async def follow_to_the_end(stack: Stack, person: Person, watched: Watched, stream: str) -> None:
    """What a client does: connect again until it works, and go on from where it was."""
    async with reconnected(stack, person, {watched.name: watched}) as client:
        await client.watch(watched.name, resume=True)
        await client.end_of(watched, stream, 90)


@asynccontextmanager
async def reconnected(stack: Stack, person: Person, logs: dict[str, Watched]) -> AsyncIterator[Live]:
    async with AsyncExitStack() as socket:

        async def connect() -> Live | None:
            try:
                return await socket.enter_async_context(live(stack, person, logs=logs, open_timeout=5))
            except (OSError, TimeoutError, websockets.WebSocketException):
                return None

        yield await eventually(connect, "the server takes sockets again", 60)


async def test_fifty_viewers_whose_server_goes_deaf_miss_no_token(pair: Stack, prompt: str) -> None:
    """What Redis publishes while a process is not connected is lost; the hub reads it from the log."""
    room = make_room(pair)
    async with AsyncExitStack() as sockets:
        viewers = [await sockets.enter_async_context(live(pair, room.vera)) for _ in range(50)]
        watched = [await viewer.watch(room.log) for viewer in viewers]
        stream = (await start_in(room, prompt, "script-slow@rate=100,tokens=400"))["stream"]
        repaired = pair.metric("hanzo_live_gaps_repaired_total")
        with pair.redis() as redis:
            for words in (20, 80, 140, 200, 260):
                await viewers[0].has_words(watched[0], stream, words)
                assert redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub") >= 1
        await asyncio.gather(*(v.end_of(w, stream) for v, w in zip(viewers, watched, strict=True)))
    said = pair.node.said(prompt)
    assert {each.text(stream) for each in watched} == {said}
    assert sum(each.gaps for each in watched) == 0
    assert pair.metric("hanzo_live_gaps_repaired_total") > repaired


async def start_in(room: Room, prompt: str, model: str) -> dict[str, Any]:
    async with room.stack.rest_soon(room.olga) as rest:
        sent = await rest.post(f"/v1/sessions/{room.session}/messages", json={"content": prompt, "model": model})
        assert sent.status_code == 202, sent.text
        return dict(sent.json())


def forget_from(stack: Stack, size: int) -> None:
    """SIGKILL Redis and take from its file what it wrote after it had `size` bytes, before anyone starts it again."""
    supervisor = stack.serve.process
    supervisor.send_signal(signal.SIGSTOP)
    try:
        pid = stack.kill(REDIS)
        until(lambda: "State:\tZ" in Path(f"/proc/{pid}/status").read_text(), "Redis is dead")
        os.truncate(append_only_file(stack), size)
    finally:
        supervisor.send_signal(signal.SIGCONT)


def append_only_file(stack: Stack) -> Path:
    (file,) = (stack.serve.data / "redis" / "appendonlydir").glob("*.incr.aof")
    return file


async def test_a_redis_that_forgot_its_last_writes_begins_a_new_epoch_and_everyone_is_right_again(
    pair: Stack, prompt: str
) -> None:
    room = make_room(pair)
    async with AsyncExitStack() as sockets:
        viewers = [await sockets.enter_async_context(live(pair, room.vera)) for _ in range(5)]
        watched = [await viewer.watch(room.log) for viewer in viewers]
        stream = (await start_in(room, prompt, "script-slow@rate=60,tokens=900"))["stream"]
        await viewers[0].has_words(watched[0], stream, 30)
        size = append_only_file(pair).stat().st_size
        await viewers[0].has_words(watched[0], stream, 150)
        epoch, seq = watched[0].position.epoch, watched[0].position.seq
        before = await log_length(pair, room.log)

        forget_from(pair, size)

        await viewers[0].until(lambda: watched[0].position.epoch != epoch, "a new epoch", 60)
        # One who comes with a position of the epoch that is gone is told all.
        late = Watched(room.log)
        late.position.epoch, late.position.seq = epoch, seq
        async with live(pair, room.tariq, logs={room.log: late}) as tariq:
            await tariq.watch(room.log, resume=True)
            await tariq.end_of(late, stream, 60)
        await asyncio.gather(*(v.end_of(w, stream, 60) for v, w in zip(viewers, watched, strict=True)))
    said = pair.node.said(prompt)
    assert {each.text(stream) for each in (*watched, late)} == {said}
    for each in (*watched, late):
        assert each.reply(stream)["content"] == said
        assert each.position.epoch != epoch
    assert before > 30
    assert room.messages()[-1]["content"] == said
    state = fold(await pair.log(room.log))
    assert state.streams[stream].content == said


async def test_while_redis_is_away_everybody_is_told_so_and_afterwards_all_goes_on(pair: Stack, prompt: str) -> None:
    room = make_room(pair)
    supervisor = pair.serve.process
    async with live(pair, room.olga) as olga, pair.rest_soon(room.olga) as rest:
        watched = await olga.watch(room.log)
        supervisor.send_signal(signal.SIGSTOP)
        try:
            pair.kill(REDIS)
            others = other_logs(room)
            for log in others:
                with pytest.raises(Refused) as refused:
                    await olga.watch(log)
                assert (refused.value.code, refused.value.reply["retryable"]) == ("internal", True)
            assert (await rest.get("/readyz")).status_code == 503
            assert (await rest.get("/healthz")).status_code == 200
            # What a person says is in the database: it is announced when there is a log again.
            sent = await olga.ask("message.send", session=room.session, content=prompt, reply=False)
        finally:
            supervisor.send_signal(signal.SIGCONT)
        await olga.until(lambda: sent["message"] in watched.state.messages, "the message said meanwhile", 60)
        stream = await olga.prompt(room.session, f"{prompt} Again.", "script-echo")
        await olga.end_of(watched, stream, 60)
    assert watched.state.transcript == room.messages()


async def test_who_is_removed_while_redis_is_away_sees_nothing_that_comes_after(pair: Stack, prompt: str) -> None:
    """In the new epoch everybody begins with a snapshot, so nobody is passed the event that says who is gone."""
    room = make_room(pair)
    supervisor = pair.serve.process
    async with live(pair, room.olga) as olga, live(pair, room.tariq) as tariq, pair.rest_soon(room.olga) as rest:
        watched, of_tariq = await olga.watch(room.log), await tariq.watch(room.log)
        await tariq.until(lambda: of_tariq.position.epoch, "the snapshot")
        epoch = of_tariq.position.epoch
        supervisor.send_signal(signal.SIGSTOP)
        try:
            pair.kill(REDIS)
            removed = await rest.delete(f"/v1/sessions/{room.session}/members/{room.tariq.id}")
            assert removed.status_code == 204, removed.text
        finally:
            supervisor.send_signal(signal.SIGCONT)
        await tariq.until(lambda: of_tariq.of_type("unsubscribed"), "Tariq is put out", 60)
        stream = await olga.prompt(room.session, prompt, "script-echo")
        await olga.end_of(watched, stream, 60)
    assert watched.position.epoch != epoch
    assert (of_tariq.position.epoch, of_tariq.frames[-1]["type"]) == (epoch, "unsubscribed")
    assert room.tariq.id not in watched.state.members


def other_logs(room: Room) -> list[str]:
    """Logs that the server has not joined yet."""
    rows = room.stack.rows(
        "SELECT session_id AS id FROM live_sessions_member WHERE user_id = ? AND session_id <> ? LIMIT 2",
        room.olga.id.replace("-", ""),
        room.session.replace("-", ""),
    )
    return [f"session:{UUID(row['id'])}" for row in rows]


async def log_length(stack: Stack, log: str) -> int:
    return len(await stack.log(log))


async def test_what_redis_forgot_of_a_session_at_rest_is_in_its_snapshot(pair: Stack, prompt: str) -> None:
    room = make_room(pair)
    async with live(pair, room.olga) as olga:
        watched = await olga.watch(room.log)
        size = append_only_file(pair).stat().st_size
        stream = await olga.prompt(room.session, prompt, "script-echo")
        await olga.end_of(watched, stream)
        epoch = watched.position.epoch

        forget_from(pair, size)

        await olga.until(lambda: watched.position.epoch != epoch, "a new epoch", 60)
        assert watched.reply(stream)["content"] == prompt
        again = await olga.prompt(room.session, f"{prompt} Again.", "script-echo")
        await olga.end_of(watched, again, 60)
    assert watched.state.transcript == room.messages()


WRITES_AND_DIES = """
import os, signal, sys
import django
django.setup()
from django.db import transaction
from sessions.models import User
from sessions.services import post_message

with transaction.atomic():
    # Committed; the next thing after the commit, which is to append to the log, never happens.
    transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
    post_message(sys.argv[1], User.objects.get(pk=sys.argv[2]), sys.argv[3])
"""


async def test_a_process_killed_between_commit_and_append_loses_no_event(room: Room, prompt: str) -> None:
    environment = clean_environment(DJANGO_SETTINGS_MODULE="hanzolive.settings", DATA_DIR=str(room.stack.serve.data))
    async with live(room.stack, room.vera) as vera:
        watched = await vera.watch(room.log)
        died = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", WRITES_AND_DIES, room.session, room.olga.id, prompt],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        await vera.until(lambda: watched.of_type("message"), "the message that a dead process wrote")
    (event,) = watched.of_type("message")
    assert event["message"]["content"] == prompt
    assert [e["type"] for e in await room.stack.log(room.log)].count("message") == 1
    assert room.stack.rows("SELECT * FROM live_sessions_outboxrow WHERE log = ?", room.log) == []
