"""The layer's receiving connection: confirmed, made again, and not fooled by silence."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from streaming.layer import LiveChannelLayer, LiveLoopLayer
from streaming.log import LogUnavailable
from tests.valkey import Valkey, start_valkey


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own, to be paused and killed."""
    server = start_valkey(tmp_path)
    yield server
    if server.process.poll() is None:
        os.kill(server.process.pid, signal.SIGCONT)
        server.stop()


@pytest_asyncio.fixture
async def layer(valkey: Valkey) -> AsyncIterator[LiveLoopLayer]:
    found = LiveChannelLayer(hosts=[{"address": valkey.url, "max_connections": 50}]).here()
    yield found
    await found.flush()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110  # the layer tells of no such event
            await asyncio.sleep(0)


async def test_a_group_is_heard_from_the_moment_that_joining_returns(layer: LiveLoopLayer) -> None:
    channel = await layer.new_channel()
    for number in range(50):
        await layer.group_add(f"group.{number}", channel)
        await layer.group_send(f"group.{number}", {"type": "test", "number": number})
        assert (await layer.receive(channel))["number"] == number


async def test_what_waits_comes_in_one_go_and_in_order(layer: LiveLoopLayer) -> None:
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    for number in range(20):
        await layer.group_send("group", {"type": "test", "number": number})
    heard: list[int] = []
    while len(heard) < 20:
        heard += [message["number"] for message in await layer.receive_all(channel)]
    assert heard == list(range(20))


async def test_a_redis_that_falls_silent_is_noticed_and_heard_again(
    layer: LiveLoopLayer, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.layer.PING_AFTER_S", 0.1)
    told: list[bool] = []
    layer.on_reconnected = lambda: told.append(True)
    channel = await layer.new_channel()
    await layer.group_add("group", channel)
    await until(lambda: layer.connected)
    before = len(told)
    os.kill(valkey.process.pid, signal.SIGSTOP)
    await until(lambda: not layer.connected)
    os.kill(valkey.process.pid, signal.SIGCONT)
    await until(lambda: len(told) > before)
    await layer.group_send("group", {"type": "test", "number": 1})
    assert (await layer.receive(channel))["number"] == 1


async def test_a_redis_that_is_gone_is_told_in_time(
    layer: LiveLoopLayer, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.layer.CONFIRM_WITHIN_S", 0.2)
    channel = await layer.new_channel()
    valkey.process.kill()
    valkey.process.wait()
    await until(lambda: not layer.connected)
    with pytest.raises(LogUnavailable):
        await layer.group_add("group", channel)
