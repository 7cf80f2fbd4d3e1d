"""What was announced reaches the log once and in order, and keeps nobody from writing while Redis takes its time."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from sessions.models import OutboxRow, User
from sessions.outbox import Announcement, announce
from streaming import outbox
from streaming.log import Appended, BlockingLog, Entry, LogWriter
from tests.valkey import start_valkey

LOG = "session:0190c0de-0000-7000-8000-000000000001"


@pytest.fixture
def threads(transactional_db: None) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def drain_and_close() -> int:
    try:
        return outbox.drain(LOG)
    finally:
        connection.close()


def wait_in_outbox(numbers: range) -> None:
    OutboxRow.objects.bulk_create(OutboxRow(log=LOG, type="session", body={"number": n}) for n in numbers)


def numbers(redis_url: str) -> list[int]:
    """What is on the log."""

    async def read() -> list[int]:
        writer = LogWriter(redis_url)
        try:
            return [event.body["number"] for event in await writer.read(LOG)]
        finally:
            await writer.close()

    return asyncio.run(read())


class Telling(BlockingLog):
    """A log that tells when it is about to ask Redis."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asks = threading.Event()

    def append(self, log: str, entries: list[tuple[Entry, str]]) -> list[Appended]:
        self.asks.set()
        return super().append(log, entries)


def test_others_write_while_redis_takes_its_time(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    valkey = start_valkey(tmp_path)
    log = Telling(valkey.url)
    monkeypatch.setattr(outbox, "blocking_log", lambda: log)
    wait_in_outbox(range(1))
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        draining = threads.submit(drain_and_close)
        assert log.asks.wait(10)
        with transaction.atomic():
            User.objects.create_user("olga@example.com", name="Olga")
        assert not draining.done()
    finally:
        valkey.process.send_signal(signal.SIGCONT)
    assert draining.result(15) == 1
    valkey.stop()
    assert not OutboxRow.objects.exists()


def test_many_bring_the_same_events_and_each_is_there_once_in_order(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setattr(outbox, "DRAIN_AT_ONCE", 7)
    for start in range(0, 300, 30):
        wait_in_outbox(range(start, start + 30))
        for draining in [threads.submit(drain_and_close) for _ in range(12)]:
            draining.result(15)
    while outbox.drain(LOG):
        pass
    assert not OutboxRow.objects.exists()
    assert numbers(redis_url) == list(range(300))


def test_a_database_that_is_away_after_commit_leaves_the_event_to_the_sweeper(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> int:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "drain", fail)
        with transaction.atomic():
            announce(LOG, Announcement("session", {"number": 1}))
    assert outbox.sweep() == 1
