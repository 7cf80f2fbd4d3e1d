"""Redis is killed, forgets and comes back; the stream's text does not care."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hanzolive.nodes.scripted import expected_text
from streaming import outbox
from streaming.log import Entry, LogWriter
from streaming.log.script import now_ms
from streaming.runner import duties
from tests.streaming.runner.house import Crew, ask, events, folded, row, terminal, until
from tests.valkey import Valkey, start_valkey

PROMPT = [{"role": "user", "content": "tell me"}]


class MortalValkey:
    """A server that can be killed and started again on what it saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: Valkey = start_valkey(folder)

    def save(self) -> None:
        with self.server.client() as client:
            client.save()

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait(5)

    def revive(self) -> None:
        self.server = start_valkey(self.folder)


@pytest.fixture
def valkey(tmp_path: Path, settings: Any) -> Iterator[MortalValkey]:
    """What the logs live on in these tests; the broker stays where it is."""
    valkey = MortalValkey(tmp_path)
    settings.REDIS_URL = valkey.server.url
    backend = settings.CHANNEL_LAYERS["live"]["BACKEND"]
    settings.CHANNEL_LAYERS = {"live": {"BACKEND": backend, "CONFIG": {"hosts": [{"address": valkey.server.url}]}}}
    outbox.blocking_log.cache_clear()
    yield valkey
    outbox.blocking_log.cache_clear()
    valkey.kill()


def begun(started: Any) -> int:
    """How many tokens are on the log, once there are some."""
    return until(lambda: sum(event["type"] == "token" for event in events(started.log)))


def whole(started: Any, model: str) -> None:
    stream = row(started.stream)
    assert stream.status == "complete"
    # Where Redis was away at the end, the sweeper brings the last event to the log.
    until(lambda: terminal(started.log, started.stream))
    assert stream.content == expected_text(model, PROMPT) == folded(started.log, started.stream).content
    assert len(terminal(started.log, started.stream)) == 1


def test_it_says_again_what_a_killed_redis_lost(crew: Crew, valkey: MortalValkey, owner: Any) -> None:
    model = "script-slow@rate=100,tokens=200"
    started = ask(owner, model=model)
    done = crew.carry(crew.here(), started.stream)
    begun(started)
    valkey.save()
    saved = begun(started)
    until(lambda: begun(started) > saved + 15)
    valkey.kill()
    valkey.revive()
    assert done.result(15)
    whole(started, model)


def test_it_reads_on_while_redis_is_gone(crew: Crew, valkey: MortalValkey, owner: Any) -> None:
    model = "script-slow@rate=100,tokens=60"
    started = ask(owner, model=model)
    done = crew.carry(crew.here(), started.stream)
    begun(started)
    valkey.save()
    valkey.kill()
    until(lambda: crew.node.asked[0].state == "complete")
    assert not done.done()
    valkey.revive()
    assert done.result(15)
    whole(started, model)


def test_it_puts_no_token_before_the_start_that_still_waits(crew: Crew, valkey: MortalValkey, owner: Any) -> None:
    started = ask(owner, model="script-fast")
    valkey.kill()
    done = crew.carry(crew.here(), started.stream)
    until(lambda: crew.node.asked and crew.node.asked[0].state == "complete")
    until(lambda: row(started.stream).status == "running")
    valkey.revive()
    assert done.result(15)
    assert events(started.log)[0]["type"] == "stream_start"
    whole(started, "script-fast")


def test_it_trims_what_is_old_and_more_than_enough(
    crew: Crew, live_session: Any, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(duties, "KEEP_EVENTS", 10)
    log = live_session.log

    async def trimmed(hours: float) -> tuple[int, int]:
        writer = LogWriter(redis_url)
        try:
            later = now_ms() + int(hours * 3_600_000)
            count = await duties.trim_logs(writer, timedelta(hours=1), now=lambda: later)
            return count, (await writer.head(log)).first
        finally:
            await writer.close()

    async def fill() -> int:
        writer = LogWriter(redis_url)
        for n in range(50):
            appended = await writer.append(log, Entry("token", "x", str(n)))
        await writer.close()
        return appended.seq

    last = asyncio.run(fill())
    assert asyncio.run(trimmed(0.5)) == (0, 1)
    assert asyncio.run(trimmed(2)) == (1, last - 9)
    assert asyncio.run(trimmed(2)) == (0, last - 9)
