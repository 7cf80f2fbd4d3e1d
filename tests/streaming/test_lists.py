"""A session's streams over REST: what is told of each, what narrows them, and that walking them misses nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.models import LiveSession, Message, User
from sessions.queries import user_wire
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


def answered(session: LiveSession, number: int, **fields: Any) -> list[Message]:
    """`number` prompts, each with the answer that follows it and the answer's stream."""
    make(session, number, seconds=1, **fields)
    streams = list(Stream.objects.filter(session=session).order_by("created_at"))
    prompts = [Message(session=session, n=2 * place + 1, role="user", content="?") for place in range(number)]
    answers = [
        Message(session=session, n=2 * place + 2, role="assistant", stream=stream.pk)
        for place, stream in enumerate(streams)
    ]
    Message.objects.bulk_create([*prompts, *answers])
    for stream, answer in zip(streams, answers, strict=True):
        stream.message = answer.pk
    Stream.objects.bulk_update(streams, ["message"], batch_size=100)
    return answers


def test_the_streams_of_a_page_of_messages_are_found_at_once(client: Client, live_session: LiveSession) -> None:
    answers = answered(live_session, 6)

    def of(query: str) -> list[str]:
        return [stream["message"] for stream in found(client, f"order=created_at&{query}")]

    ids = [str(answer.pk) for answer in answers]
    assert of("after_n=3&before_n=9") == ids[1:4]  # the answers 4, 6 and 8
    assert of("after_n=8&limit=1") == ids[4:]
    assert of("before_n=2") == []
    assert of("after_n=0") == ids
    assert of("after_n=2147483647") == []


def test_texts_are_left_out_where_they_are_not_wanted(client: Client, live_session: LiveSession) -> None:
    make(live_session, 1, status="complete", content="Long.", model="small", node="local")
    [whole] = found(client, "")
    assert whole["content"] == "Long."
    with CaptureQueriesContext(connection) as captured:
        assert found(client, "content=false") == [{**whole, "content": None}]
    assert not any('"content"' in query["sql"] for query in captured)


def test_who_stopped_a_stream_is_told(client: Client, live_session: LiveSession, owner: User, teammate: User) -> None:
    make(live_session, 1, status="stopped", stopped_by=teammate.pk)
    make(live_session, 1, status="stopped")  # by the server
    # It was over before whoever pressed Stop.
    make(live_session, 1, status="complete", stopped_by=owner.pk)
    streams = found(client, "order=created_at")
    assert [stream["stopped_by"] for stream in found(client, "status=complete")] == [None]
    assert user_wire(teammate) in [stream["stopped_by"] for stream in found(client, "status=stopped")]
    assert [stream["stopped_by"] for stream in streams].count(None) == 2
    for stream in streams:
        assert call(client, "GET", f"/v1/streams/{stream['id']}").json() == stream
    teammate.delete()
    assert [stream["stopped_by"] for stream in found(client, "")] == [None] * 3


def test_who_stopped_them_costs_one_query_however_many_there_are(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(call(client, "GET", f"{PATH}?limit={limit}").json()["results"]) == limit
        return len(captured)

    make(live_session, 20, status="stopped", stopped_by=owner.pk)
    few = queries(1)
    make(live_session, 20, seconds=1, status="stopped", stopped_by=teammate.pk)
    assert queries(40) == few


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
