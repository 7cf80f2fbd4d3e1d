"""A session's streams over REST: what is told of each, what narrows them, and that walking them misses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.models import LiveSession, User
from streaming.models import Stream
from tests.rest import call, walk

PATH = "/v1/sessions/the-plan/streams"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def make(session: LiveSession, number: int, *, seconds: int = 0, **fields: Any) -> None:
    """`number` streams, each begun `seconds` after the one before."""
    streams = [Stream(session=session, log=session.log, request={}, **fields) for _ in range(number)]
    Stream.objects.bulk_create(streams)
    for place, stream in enumerate(streams):
        stream.created_at = START + timedelta(seconds=place * seconds)
    Stream.objects.bulk_update(streams, ["created_at"], batch_size=100)


def found(client: Client, query: str) -> list[dict[str, Any]]:
    return [stream for page in walk(client, f"{PATH}?{query}")[0] for stream in page]


@pytest.mark.parametrize("order", ["-created_at", "created_at"])
def test_streams_of_one_moment_are_all_met_both_ways(client: Client, live_session: LiveSession, order: str) -> None:
    make(live_session, 7)
    pages, addresses = walk(client, f"{PATH}?limit=3&order={order}")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({stream["id"] for page in pages for stream in page}) == 7
    back = call(client, "GET", call(client, "GET", addresses[-1]).json()["previous"]).json()
    assert back["results"] == pages[1]
    first = call(client, "GET", back["previous"]).json()
    assert (first["results"], first["previous"]) == (pages[0], None)


def test_the_newest_are_first_unless_asked_otherwise(client: Client, live_session: LiveSession) -> None:
    make(live_session, 5, seconds=1)
    newest_first = [stream["created_at"] for stream in found(client, "limit=2")]
    assert newest_first == sorted(newest_first, reverse=True)
    assert [stream["created_at"] for stream in found(client, "limit=2&order=created_at")] == newest_first[::-1]


def test_streams_are_narrowed(client: Client, live_session: LiveSession, owner: User, teammate: User) -> None:
    make(live_session, 1, user=owner, status="complete", requested_model="auto", model="small")
    make(live_session, 2, user=teammate, status="failed", model="large")
    make(live_session, 3, user=teammate, status="queued", requested_model="auto")
    assert len(found(client, "status=failed")) == 2
    assert len(found(client, "model=small")) == 1
    assert len(found(client, "model=auto")) == 4
    assert len(found(client, f"user={teammate.pk}&limit=2")) == 5
    assert len(found(client, f"user={teammate.pk}&model=auto")) == 3


def test_streams_are_narrowed_by_when_they_began(client: Client, live_session: LiveSession) -> None:
    make(live_session, 6, seconds=60)

    def minutes(query: str) -> list[int]:
        return [datetime.fromisoformat(stream["created_at"]).minute for stream in found(client, query)]

    assert minutes("after=2026-01-01T00:03:00Z") == [5, 4, 3]
    assert minutes("before=2026-01-01T00:03:00Z&limit=1") == [2, 1, 0]
    assert minutes(f"after={quote('2026-01-01T02:01:00+02:00')}&before=2026-01-01T00:03:00Z") == [2, 1]


def test_usage_and_timings_are_told_in_the_list_and_of_one(client: Client, live_session: LiveSession) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    timings = {"duration_ms": 120, "first_token_ms": 40, "tokens_per_second": 62.5}
    make(live_session, 1, status="complete", usage=usage, timings=timings)
    [listed] = found(client, "")
    assert (listed["usage"], listed["timings"]) == (usage, timings)
    assert call(client, "GET", f"/v1/streams/{listed['id']}").json() == listed


def test_a_page_of_streams_costs_the_same_however_many_there_are(client: Client, live_session: LiveSession) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(call(client, "GET", address).json()["results"]) == 10
        return len(captured)

    first = f"{PATH}?limit=10"
    make(live_session, 10)
    few = queries(first)
    make(live_session, 990)
    assert queries(first) == few
    assert queries(call(client, "GET", first).json()["next"]) == few
