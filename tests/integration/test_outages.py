"""Redis and the database are gone for ten seconds while answers are written: all of them end whole, and once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from hanzo_live.protocol import fold
from tests.integration.client import Live, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import REDIS, Stack, eventually, signed_up
from tests.postgres import Postgres

pytestmark = pytest.mark.timeout(200)

OUTAGE_S = 10
RATE = 40  # tokens a second: what is waited for is that the node has said so many more


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def stack(postgres: Postgres, start: Callable[..., Stack]) -> Stack:
    """A server on a PostgreSQL that this test may stop."""
    stack = start("--workers", "2", people=(), DATABASE_URL=postgres.url)
    for name in ("Olga", "Tariq", "Vera"):
        stack.people[name] = signed_up(stack, name)
    return stack


async def node_has_said(stack: Stack, prompt: str, tokens: int) -> None:
    """Waits until the node has written so many tokens of its last answer to `prompt`."""

    async def said() -> bool:
        asked: list[dict[str, Any]] = await asyncio.to_thread(stack.node.requests, prompt)
        return bool(asked) and asked[-1]["tokens"] >= tokens

    await eventually(said, f"{tokens} tokens of the node", 60)


async def assert_whole(room: Room, watched: tuple[Watched, ...], stream: str, prompt: str) -> None:
    """Watchers, log, and database have the same text, which is what the node said, and one end."""
    said = room.stack.node.said(prompt)
    log = [event for event in await room.stack.log(room.log) if event.get("stream") == stream]
    assert [event["type"] for event in log if event["type"] in ("complete", "error")] == ["complete"]
    assert fold(log).streams[stream].content == said
    for each in watched:
        assert each.text(stream) == said
        assert len([e for e in each.of_type("complete", "error") if e["stream"] == stream]) == 1
        assert each.reply(stream)["content"] == said
    (reply,) = (message for message in room.messages() if message["stream"] == stream)
    assert (reply["content"], reply["status"]) == (said, "complete")


async def everybody_is_told(olga: Live, room: Room) -> None:
    """Whoever asks for something meanwhile, by whichever way, is told in words and may try again."""
    async with room.stack.rest_soon(room.olga) as rest:
        asked = {"model": "script-echo", "messages": [{"role": "user", "content": "now"}]}
        said, completion, refused = await asyncio.gather(
            rest.post(f"/v1/sessions/{room.session}/messages", json={"content": "now"}),
            rest.post("/v1/chat/completions", json=asked),
            olga.send({"id": "now", "type": "message.send", "session": room.session, "content": "now"}),
        )
    for response, error in ((said, said.json()), (completion, completion.json()["error"])):
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert "cannot reach its database" in error["message"]
    for told in (said.json(), refused):
        assert (told["code"], told["retryable"], told["retry_after"]) == ("internal", True, 5)


async def nobody_comes_in(room: Room) -> None:
    """A socket that shows who it is in its handshake is told to come back."""
    async with connect(room.stack.socket_url, additional_headers=room.olga.headers, proxy=None) as socket:
        told = json.loads(await socket.recv())
        await socket.wait_closed()
    assert (told["code"], told["retryable"], told["retry_after"]) == ("busy", True, 5)
    assert "cannot reach its database" in told["message"]
    assert socket.close_code == 4503


async def test_redis_is_frozen_for_ten_seconds_in_mid_answer(stack: Stack, prompt: str) -> None:
    room = make_room(stack)
    async with live(stack, room.olga) as olga, live(stack, room.vera) as vera:
        watched = (await olga.watch(room.log), await vera.watch(room.log))
        tokens = (OUTAGE_S + 2) * RATE
        stream = await olga.prompt(room.session, prompt, f"script-slow@rate={RATE},tokens={tokens}")
        await olga.has_words(watched[0], stream, 20)
        redis = stack.serve.child(REDIS)
        assert redis is not None
        os.kill(redis, signal.SIGSTOP)
        try:
            # The worker reads on meanwhile.
            await node_has_said(stack, prompt, 20 + OUTAGE_S * RATE)
            assert not watched[0].ended(stream)
        finally:
            os.kill(redis, signal.SIGCONT)
        await olga.end_of(watched[0], stream, 60)
        await vera.end_of(watched[1], stream, 60)
    assert len(stack.node.requests(prompt)) == 1
    await assert_whole(room, watched, stream, prompt)


async def test_the_database_is_gone_for_ten_seconds_while_one_answer_ends_and_one_recovers(
    stack: Stack, postgres: Postgres, prompt: str
) -> None:
    ending, recovering = make_room(stack), make_room(stack)
    second = prompt.replace("What", "Why")
    async with live(stack, ending.olga) as olga, live(stack, ending.vera) as vera:
        of_ending = (await olga.watch(ending.log), await vera.watch(ending.log))
        of_recovering = (await olga.watch(recovering.log), await vera.watch(recovering.log))
        ends = await olga.prompt(ending.session, prompt, f"script-slow@rate={RATE},tokens={2 * RATE}")
        # Its node fails after these tokens; by then there is no database.
        tokens = (OUTAGE_S + 1) * RATE
        recovers = await olga.prompt(
            recovering.session, second, f"script-recover@rate={RATE},tokens={tokens},fail_at={RATE}"
        )
        await olga.has_words(of_recovering[0], recovers, 10)
        await olga.has_words(of_ending[0], ends, 10)
        postgres.stop()
        try:
            await everybody_is_told(olga, ending)
            await nobody_comes_in(ending)
            assert (await stack.node.ended(prompt))["state"] == "complete"
            await olga.until(lambda: of_recovering[0].of_type("reset"), "it begins again without a database")
            await node_has_said(stack, second, tokens - RATE)
            assert not of_ending[0].ended(ends)
        finally:
            postgres.start()
        for client, one, other in zip((olga, vera), of_ending, of_recovering, strict=True):
            await client.end_of(one, ends, 60)
            await client.end_of(other, recovers, 60)
    assert [len(stack.node.requests(each)) for each in (prompt, second)] == [1, 2]
    await assert_whole(ending, of_ending, ends, prompt)
    await assert_whole(recovering, of_recovering, recovers, second)
