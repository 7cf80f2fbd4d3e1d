"""The panel's start page: what its figures say, that they are cheap, and that they are there whatever is away."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis.asyncio
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some

from hanzolive.dashboard import reading as readings
from hanzolive.dashboard.figures import MINUTES, percentile, show, slowest, tokens_chart
from hanzolive.dashboard.reading import Ended, Reading, read
from presence.leases import Leases
from sessions.models import LiveSession, User
from streaming.models import Stream, StreamStatus
from streaming.runner import leases
from streaming.runner.meter import Meter
from tests.admin.conftest import page_text

NOW = datetime(2026, 5, 4, 12, 30, 30, tzinfo=UTC)


def ended(**fields: Any) -> Ended:
    about: dict[str, Any] = {
        "status": "complete", "model": "m", "node": "local", "error": "", "cached": False, "tokens": 60,
        "first_token_ms": 20.0, "duration_ms": 1_000.0, "began": NOW - timedelta(seconds=20), "ended": NOW,
    }  # fmt: skip
    return Ended(**{**about, **fields})


def look(*streams: Ended, **fields: Any) -> dict[str, Any]:
    about: dict[str, Any] = {
        "as_of": NOW, "people": 0, "running": 0, "queued": 0, "workers": 0, "tokens_per_second": 0.0,
        "sessions": 0, "users": 0, "ended": list(streams),
    }  # fmt: skip
    return show(Reading(**{**about, **fields}))


# How it is shown --------------------------------------------------------------------------------------------------


def test_nothing_at_all_is_shown_as_such() -> None:
    shown = look(people=None)
    assert shown["as_of"] == "12:30:30 UTC"
    assert shown["figures"]["people"] == shown["figures"]["hit_share"] == "–"
    assert shown["figures"]["ended"] == "0"
    assert shown["tables"] == {"errors": [], "slowest": []}
    assert all(sum(data["data"]) == 0 for chart in shown["charts"].values() for data in chart["datasets"])


def test_the_hours_streams_are_counted_by_how_they_ended() -> None:
    failed = [ended(status="failed", error=code) for code in ("node_error", "node_timeout", "node_error")]
    shown = look(ended(cached=True), ended(status="stopped"), ended(), *failed, people=1234, tokens_per_second=99.6)
    figures = shown["figures"]
    assert (figures["ended"], figures["failed"], figures["hits"], figures["hit_share"]) == ("6", "3", "1", "17 %")
    assert (figures["people"], figures["speed"], figures["hour_speed"]) == ("1,234", "100", "0.1")
    assert shown["tables"]["errors"] == [["node_error", "2"], ["node_timeout", "1"]]
    last = {dataset["label"]: dataset["data"][-1] for dataset in shown["charts"]["streams"]["datasets"]}
    assert last == {"Complete": 2, "Stopped": 1, "Failed": 3}


def test_models_are_ranked_by_the_95th_percentile_of_their_first_token() -> None:
    quick = [ended(model="quick", first_token_ms=float(ms)) for ms in range(1, 101)]
    slow = [ended(model="slow", node="cloud", first_token_ms=1_500.0, duration_ms=62_000.0)]
    silent = [ended(model="silent", first_token_ms=None)]
    assert slowest([*quick, *slow, *silent]) == [
        ["slow", "cloud", "1", "1.5 s", "1.5 s", "62.0 s", "62.0 s"],
        ["quick", "local", "100", "50 ms", "95 ms", "1.0 s", "1.0 s"],
    ]


@given(some.lists(some.floats(0, 1e6), min_size=1), some.floats(0.01, 1))
def test_a_percentile_is_one_of_the_values_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


@given(
    some.lists(
        some.tuples(some.integers(1, 5_000), some.floats(0, 300), some.floats(0, 3_000)), min_size=1, max_size=20
    )
)
def test_every_token_of_the_hour_is_in_the_chart_once(streams: list[tuple[int, float, float]]) -> None:
    made = [
        ended(tokens=tokens, began=NOW - timedelta(seconds=ago + took), ended=NOW - timedelta(seconds=ago))
        for tokens, took, ago in streams
    ]
    (dataset,) = tokens_chart(made, NOW)["datasets"]
    assert len(dataset["data"]) == MINUTES
    assert sum(dataset["data"]) * 60 == pytest.approx(sum(tokens for tokens, _, _ in streams), abs=MINUTES)


def test_a_meter_says_tokens_a_second_since_it_was_last_asked() -> None:
    now = [10.0]
    meter = Meter(lambda: now[0])
    meter.add(30)
    meter.add(20)
    now[0] = 12.0
    assert meter.take() == 25.0
    now[0] = 13.0
    assert meter.take() == 0.0
    assert meter.take() == 0.0


# What it is made of -----------------------------------------------------------------------------------------------


def stream_of(user: User, **fields: Any) -> Stream:
    return Stream.objects.create(user=user, log="stream:x", request={}, **fields)


def test_a_node_of_several_is_named(owner: User) -> None:
    now = timezone.now()
    for name in ("default", "gpu", ""):
        stream_of(owner, status=StreamStatus.COMPLETE, node="local", node_name=name, ended_at=now)
    assert sorted(stream.node for stream in read(now).ended) == ["gpu (local)", "local", "local"]


def test_open_streams_living_workers_and_the_last_hour_are_read(owner: User, live_session: LiveSession) -> None:
    now = timezone.now()
    for status in (StreamStatus.RUNNING, StreamStatus.QUEUED, StreamStatus.RECOVERING):
        stream_of(owner, status=status)
    done = {"status": StreamStatus.COMPLETE, "started_at": now - timedelta(minutes=2)}
    stream_of(owner, ended_at=now - timedelta(minutes=1), requested_model="asked", cached="exact", **done)
    stream_of(owner, ended_at=now - timedelta(minutes=61), **done)
    leases.beat("one", 12.5)
    leases.beat("two", 30.0)
    leases.beat("two", 20.0)
    found = read(now)
    assert (found.running, found.queued, found.workers, found.tokens_per_second) == (1, 2, 2, 32.5)
    assert [(each.model, each.cached, each.tokens) for each in found.ended] == [("asked", True, 0)]
    assert (found.sessions, found.users, found.people) == (1, 3, 0)


def test_people_are_those_whose_processes_live(db: None, redis_url: str) -> None:
    async def come() -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            await Leases(client, "web-1", lambda log: (log, log)).renew(3)
            await Leases(client, "web-2", lambda log: (log, log)).renew(4)

    async_to_sync(come)()
    assert read(timezone.now()).people == 7


def test_more_streams_than_are_looked_at_are_cut_and_that_is_said(
    owner: User, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "MAX_STREAMS", 3)
    now = timezone.now()
    for number in range(5):
        stream_of(owner, status=StreamStatus.COMPLETE, ended_at=now - timedelta(seconds=number))
    found = read(now)
    assert (len(found.ended), found.cut) == (3, True)
    assert [each.ended for each in found.ended] == [now - timedelta(seconds=number) for number in range(3)]
    assert admin.get("/admin/dashboard/").json()["figures"]["ended"] == "3+"


def test_it_costs_the_same_however_much_there_is(owner: User) -> None:
    read(timezone.now())  # the totals are kept now

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            read(timezone.now())
        return len(queries)

    before = cost()
    Stream.objects.bulk_create(
        Stream(user=owner, log="stream:x", request={}, status=StreamStatus.COMPLETE, ended_at=timezone.now())
        for _ in range(2_000)
    )
    assert cost() == before <= 4


# The page ---------------------------------------------------------------------------------------------------------


def test_the_page_and_its_refreshes_say_the_same(admin: Client, owner: User) -> None:
    stream_of(owner, status=StreamStatus.FAILED, error={"code": "<b>odd</b>"}, ended_at=timezone.now())
    page = page_text(admin.get("/admin/"))
    answer = admin.get("/admin/dashboard/")
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    shown = answer.json()
    assert f"<time data-as-of>{shown['as_of']}</time>" in page
    assert '<dd data-figure="users">2</dd>' in page
    assert shown["figures"]["users"] == "2"
    assert shown["tables"]["errors"] == [["<b>odd</b>", "1"]]
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<b>odd" not in page
    assert json.dumps(shown["charts"]["tokens"]).replace('"', "&quot;") in page


def test_the_figures_are_made_once_every_few_seconds_whoever_asks(admin: Client) -> None:
    first = admin.get("/admin/dashboard/").json()
    with CaptureQueriesContext(connection) as queries:
        assert admin.get("/admin/dashboard/").json() == first
    assert not any("streaming_stream" in query["sql"] for query in queries)
    cache.delete("panel:figures")
    assert admin.get("/admin/dashboard/").json()["as_of"]


def test_without_redis_the_page_is_there_and_does_not_know_who_is_online(
    admin: Client, settings: Any, tmp_path: Any
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    response = admin.get("/admin/")
    assert response.status_code == 200
    assert '<dd data-figure="people">–</dd>' in page_text(response)
    assert admin.get("/admin/dashboard/").json()["figures"]["people"] == "–"


def test_only_staff_are_told(owner: User, stan: Callable[..., User], signed_in: Callable[..., Client]) -> None:
    assert Client().get("/admin/dashboard/").status_code == 302
    assert signed_in(owner).get("/admin/dashboard/", follow=True).status_code == 403
    helper = signed_in(stan())
    assert helper.get("/admin/dashboard/").status_code == 200
    assert helper.post("/admin/dashboard/").status_code == 405
