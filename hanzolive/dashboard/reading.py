"""What the dashboard is made of, read from the database and Redis. Each reading is bounded, however much there is.

How it is shown is `figures`'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import redis.asyncio
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Sum
from redis.exceptions import RedisError

from presence.leases import people_online
from sessions.models import LiveSession, User
from streaming.configured import ONLY_NODE
from streaming.models import OPEN, Stream, StreamStatus
from streaming.runner.leases import alive

HOUR = timedelta(hours=1)
# The newest ones of the last hour; what was before them is not looked at, and the page says so.
MAX_STREAMS = 5_000
REDIS_SECONDS = 1.0
# How long the numbers that grow slowly and cost most are kept.
TOTALS_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """A stream that has ended, as far as the dashboard is interested. Milliseconds are None where there was no token."""

    status: str
    model: str
    node: str
    error: str
    cached: bool
    tokens: int
    first_token_ms: float | None
    duration_ms: float | None
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the server. `people` is None while Redis does not answer."""

    as_of: datetime
    people: int | None
    running: int
    queued: int
    workers: int
    tokens_per_second: float
    sessions: int
    users: int
    ended: list[Ended] = field(default_factory=list)
    cut: bool = False


def read(now: datetime) -> Reading:
    """Everything, in six queries at most."""
    by_status = dict(
        Stream.objects.filter(status__in=OPEN).order_by().values_list("status").annotate(count=Count("pk"))
    )
    workers = alive().aggregate(count=Count("pk"), speed=Sum("tokens_per_second"))
    running = by_status.get(StreamStatus.RUNNING, 0)
    ended = list(_ended_since(now - HOUR))
    sessions, users = _totals()
    return Reading(
        as_of=now,
        people=_people(),
        running=running,
        queued=sum(by_status.values()) - running,
        workers=workers["count"],
        tokens_per_second=workers["speed"] or 0.0,
        sessions=sessions,
        users=users,
        ended=ended[:MAX_STREAMS],
        cut=len(ended) > MAX_STREAMS,
    )


def _ended_since(moment: datetime) -> Iterable[Ended]:
    rows = Stream.objects.filter(ended_at__gte=moment).order_by("-ended_at")
    columns = (
        "status",
        "model",
        "requested_model",
        "node",
        "node_name",
        "error",
        "cached",
        "usage",
        "timings",
        "started_at",
        "ended_at",
    )
    for status, model, requested, node, node_name, error, cached, usage, timings, began, ended in rows.values_list(
        *columns
    )[: MAX_STREAMS + 1]:
        assert ended is not None
        timings = timings or {}
        yield Ended(
            status=status,
            model=model or requested,
            node=_node(node, node_name),
            error=(error or {}).get("code", ""),
            cached=bool(cached),
            tokens=(usage or {}).get("completion_tokens", 0),
            first_token_ms=timings.get("first_token_ms"),
            duration_ms=timings.get("duration_ms") if began is not None else None,
            began=began or ended,
            ended=ended,
        )


def _node(where: str, name: str) -> str:
    """Where the only node is says enough of it."""
    return where if name in ("", ONLY_NODE) else f"{name} ({where})"


def _totals() -> tuple[int, int]:
    """How many sessions and users there are, as of a minute ago at most."""
    kept: tuple[int, int] | None = None
    try:
        kept = cache.get("panel:totals")
        if kept is None:
            kept = LiveSession.objects.count(), User.objects.count()
            cache.set("panel:totals", kept, TOTALS_SECONDS)
    except RedisError:
        kept = LiveSession.objects.count(), User.objects.count()
    return kept


def _people() -> int | None:
    async def ask() -> int:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        async with client:
            return await people_online(client)

    try:
        return async_to_sync(ask)()
    except (RedisError, OSError):
        return None
