"""What code in our processes is told of streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hanzo_live.protocol.options import CacheOptions
from sessions.services import create_session
from streaming import services
from streaming.models import Notice, Stream
from streaming.notices import StreamEvent, delivering, stream_complete, stream_error, stream_start
from tests.streaming.runner.house import Crew, ask, row

CACHED = CacheOptions(enabled=True)
SIGNALS = (stream_start, stream_complete, stream_error)


@pytest.fixture
def heard() -> Iterator[list[StreamEvent]]:
    told: list[StreamEvent] = []

    def hear(sender: Any, event: StreamEvent, **_: Any) -> None:
        assert sender is Stream
        told.append(event)

    for signal in SIGNALS:
        signal.connect(hear)
    yield told
    for signal in SIGNALS:
        signal.disconnect(hear)


def test_a_stream_that_completes(crew: Crew, owner: Any, live_session: Any, heard: list[StreamEvent]) -> None:
    started = ask(owner, "say this", model="script-slow@rate=200,tokens=40", session="the-plan")
    crew.carry(crew.here(), started.stream).result(15)
    start, end = heard
    stream = row(started.stream)
    assert (start.type, end.type) == ("stream_start", "stream_complete")
    for event in heard:
        assert (event.stream, event.session, event.user) == (str(stream.pk), str(live_session.pk), str(owner.pk))
        assert (event.model, event.node) == ("script-slow@rate=200,tokens=40", "local")
    assert (start.status, start.total_tokens, start.duration_ms) == (None, None, None)
    assert stream.usage is not None
    assert stream.timings is not None
    assert (end.status, end.finish_reason, end.completion_tokens) == ("complete", "stop", 40)
    assert (end.total_tokens, end.tokens_estimated) == (stream.usage["total_tokens"], False)
    assert (end.duration_ms, end.tokens_per_second) == (
        stream.timings["duration_ms"],
        stream.timings["tokens_per_second"],
    )
    assert start.id != end.id
    assert Notice.objects.count() == 0


def test_an_answer_from_the_cache(crew: Crew, owner: Any, live_session: Any, heard: list[StreamEvent]) -> None:
    crew.carry(crew.here(), ask(owner, cache=CACHED).stream).result(15)
    heard.clear()
    for session in (None, "the-plan"):
        started = ask(owner, cache=CACHED, session=session)
        stream, (start, end) = row(started.stream), heard
        assert (start.type, end.type) == ("stream_start", "stream_complete")
        for event in (start, end):
            assert (event.cached, event.stream, event.user) == ("exact", str(stream.pk), str(owner.pk))
            assert event.session == (str(live_session.pk) if session else None)
            assert (event.model, event.requested_model, event.node) == (stream.model, "script-echo", "local")
        assert stream.usage is not None
        assert (end.status, end.finish_reason) == ("complete", "stop")
        assert (end.total_tokens, end.tokens_per_second) == (stream.usage["total_tokens"], None)
        assert start.id != end.id
        heard.clear()
    assert Notice.objects.count() == 0


def test_an_answer_from_the_cache_whose_turn_came_later(
    crew: Crew, owner: Any, live_session: Any, heard: list[StreamEvent]
) -> None:
    worker = crew.here()
    create_session(owner, slug="before")
    for slug in ("before", "the-plan"):
        asked = (("one", None), ("two", CACHED))
        streams = [ask(owner, prompt, cache=cache, session=slug).stream for prompt, cache in asked]
        for each in streams:
            crew.carry(worker, each).result(15)
    told = [(event.type, event.cached) for event in heard if event.stream == str(streams[-1])]
    assert told == [("stream_start", "exact"), ("stream_complete", "exact")]


def test_a_stream_that_fails(crew: Crew, owner: Any, heard: list[StreamEvent]) -> None:
    crew.carry(crew.here(), ask(owner, model="script-error-midway").stream).result(15)
    assert [event.type for event in heard] == ["stream_start", "stream_error"]
    assert (heard[1].status, heard[1].error, heard[1].retryable) == ("failed", "node_error", True)


def test_a_stream_that_was_stopped_before_it_began(crew: Crew, owner: Any, heard: list[StreamEvent]) -> None:
    services.stop_stream(owner, ask(owner).stream)
    (event,) = heard
    assert (event.type, event.status, event.finish_reason) == ("stream_complete", "stopped", "stopped")


def test_a_receiver_that_raises_keeps_nobody_from_hearing_nor_the_stream_from_ending(
    crew: Crew, owner: Any, heard: list[StreamEvent]
) -> None:
    def fail(sender: Any, **_: Any) -> None:
        raise RuntimeError("as it was told to")

    stream_complete.connect(fail)
    try:
        started = ask(owner)
        crew.carry(crew.here(), started.stream).result(15)
    finally:
        stream_complete.disconnect(fail)
    assert row(started.stream).status == "complete"
    assert [event.type for event in heard] == ["stream_start", "stream_complete"]


def test_what_a_process_that_died_did_not_tell_is_told_by_another(
    crew: Crew, owner: Any, heard: list[StreamEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_off = delivering.set_off
    monkeypatch.setattr(delivering, "set_off", lambda _: None)
    crew.carry(crew.here(), ask(owner).stream).result(15)
    assert heard == []
    monkeypatch.setattr(delivering, "set_off", set_off)
    assert delivering.sweep() == 0, "too early to say that nobody does it"
    monkeypatch.setattr(delivering, "LOST_AFTER", -delivering.LOST_AFTER)
    assert delivering.sweep() == 2
    assert sorted(event.type for event in heard) == ["stream_complete", "stream_start"]
    assert Notice.objects.count() == 0


def test_nothing_is_written_down_where_nobody_listens(crew: Crew, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "set_off", lambda _: None)
    crew.carry(crew.here(), ask(owner).stream).result(15)
    assert Notice.objects.count() == 0
