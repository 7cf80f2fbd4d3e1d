"""What is remembered of answers' lengths, and what a worker makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streaming.log import LogWriter
from streaming.runner.lengths import KEPT, Kind, Length, lengths_of, note_length
from streaming.runner.progress import GROUND, Progress
from tests.streaming.runner.house import Crew, ask

KIND = Kind.of("m", 100)


@pytest.fixture
async def log(redis_url: str) -> AsyncIterator[LogWriter]:
    writer = LogWriter(redis_url)
    yield writer
    await writer.close()


async def test_it_remembers_the_latest_of_each_kind(log: LogWriter) -> None:
    for tokens in range(KEPT + 5):
        await note_length(log, KIND, Length(tokens, cut=tokens % 2 == 0))
    await note_length(log, Kind.of("m", 10_000), Length(1))
    found = await lengths_of(log, KIND)
    assert len(found) == KEPT
    assert found[:2] == [Length(KEPT + 4, cut=True), Length(KEPT + 3)]
    assert await lengths_of(log, Kind.of("another", 100)) == []


async def test_without_redis_nothing_is_expected() -> None:
    log = LogWriter("redis://127.0.0.1:1")
    await note_length(log, KIND, Length(1))
    assert await lengths_of(log, KIND) == []
    await log.close()


def test_prompts_of_about_one_size_are_of_one_kind() -> None:
    assert Kind.of("m", 70) == Kind.of("m", 250)
    assert Kind.of("m", 70) != Kind.of("m", 2_000)
    assert Kind.of("m", 0) == Kind.of("m", 1)


def test_a_worker_expects_of_an_answer_what_such_prompts_gave(
    crew: Crew, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answers are its ground; of the last it tells how far it is."""
    monkeypatch.setattr(Progress, "INTERVAL_S", 0.02)
    told: list[dict[str, Any]] = []
    publish = LogWriter.publish

    async def hear(log: LogWriter, name: str, type: str, body: dict[str, Any]) -> None:
        if type == "progress":
            told.append(body)
        await publish(log, name, type, body)

    monkeypatch.setattr(LogWriter, "publish", hear)
    worker = crew.here()
    for _ in range(GROUND + 1):
        told.clear()
        crew.carry(worker, ask(owner, model="script-slow@rate=400,tokens=120").stream).result(15)
    percents = [body["percent"] for body in told if body["percent"] is not None]
    assert percents
    assert percents == sorted(percents)
    assert max(percents) < 100
    assert {body["total"] for body in told if body["percent"] is not None} == {120}
