"""`/metrics` of a real server tells what all of its processes count: the web process, and workers, those lost included."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.stack import WORKER, Stack, eventually

pytestmark = pytest.mark.timeout(180)


async def metric(stack: Stack, name: str) -> float:
    return await asyncio.to_thread(stack.metric, name)


async def test_what_workers_count_is_told_by_the_web_process(pair: Stack, prompt: str) -> None:
    """And it stays counted when a worker is killed, while what that one carried is carried no more."""
    stack, room = pair, make_room(pair)
    tokens, lost = [await metric(stack, f"hanzo_live_{name}_total") for name in ("tokens", "takeovers")]
    async with live(stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        await olga.end_of(watched, await olga.prompt(room.session, prompt, "script-slow@rate=0,tokens=300"))
        counted = await metric(stack, "hanzo_live_tokens_total")
        assert counted >= tokens + 300

        stream = await olga.prompt(room.session, prompt, "script-slow@rate=50,tokens=200")

        async def carried() -> bool:
            return await metric(stack, "hanzo_live_streams_active") == 1

        await eventually(carried, "a worker carries the stream")
        for number in ("1", "2"):
            await asyncio.to_thread(stack.kill, WORKER.replace("1", number))
        await olga.end_of(watched, stream)
    assert await metric(stack, "hanzo_live_tokens_total") >= counted + 200
    assert await metric(stack, "hanzo_live_takeovers_total") > lost

    async def at_rest() -> bool:
        return await metric(stack, "hanzo_live_streams_active") == 0

    await eventually(at_rest, "no stream is carried any more, by lost workers neither")
