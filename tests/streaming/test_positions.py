"""Those who wait are told how many are before them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from hanzo_live.protocol.events import ProgressEvent
from streaming import positions
from streaming.models import Stream, StreamStatus
from tests.streaming.runner.house import ask

A, B, C, D, E = (UUID(int=n) for n in range(1, 6))
ROOM, OTHER = UUID(int=100), UUID(int=101)


def places(*rows: tuple[UUID, UUID | None, str]) -> dict[UUID, int]:
    found = positions.positions((id, f"session:{session}", session, status) for id, session, status in rows)
    return {each.stream: each.before for each in found}


def test_in_a_session_they_wait_for_those_asked_before() -> None:
    assert places((A, ROOM, "running"), (B, ROOM, "queued"), (C, ROOM, "queued")) == {B: 1, C: 2}


def test_what_waits_for_a_worker_waits_behind_everybody_who_does() -> None:
    assert places(
        (A, None, "queued"), (B, ROOM, "queued"), (C, ROOM, "queued"), (D, None, "running"), (E, OTHER, "queued")
    ) == {A: 0, B: 1, C: 1, E: 2}


@pytest.mark.django_db(transaction=True)
def test_it_is_told_to_who_watches_once_a_second_however_many_workers_look(
    owner: Any, live_session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str, dict[str, Any]]] = []

    class Log:
        def publish(self, log: str, type: str, body: dict[str, Any]) -> None:
            told.append((log, type, body))

    monkeypatch.setattr(positions, "blocking_log", Log)
    assert positions.tell() == 0
    first, second = (ask(owner, word, session="the-plan").stream for word in "ab")
    assert positions.tell() == 0, "just asked"
    Stream.objects.update(created_at=timezone.now() - timedelta(seconds=2))
    Stream.objects.filter(pk=first).update(
        status=StreamStatus.RUNNING, created_at=timezone.now() - timedelta(seconds=3)
    )
    assert [positions.tell(), positions.tell()] == [1, 0]
    ((log, type, body),) = told
    event = ProgressEvent.model_validate({"type": type, "log": log, **body})
    assert (log, event.stream, event.phase, event.queue_position) == (live_session.log, str(second), "queued", 1)
