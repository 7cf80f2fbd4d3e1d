"""Whether this server can do its work, and what of it is missing, for probes and people.

`/health` says that the process answers. `/ready` says whether it should get traffic: not while it drains, or without
database or Redis. A missing node or worker is told and changes nothing: a restart of the web process would not help.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

import httpx
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from streaming.models import Worker

PROBE_SECONDS = 1.0
NODE_ASKED_EVERY_SECONDS = 5
WORKER_SEEN_WITHIN = timedelta(seconds=15)

_draining = threading.Event()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `needed`: without it this process should get no traffic."""

    name: str
    ok: bool
    needed: bool
    message: str


def start_draining() -> None:
    """From now on `/ready` sends new visitors elsewhere; those who are here are served on."""
    _draining.set()


def readiness() -> tuple[int, dict[str, Any]]:
    """The HTTP status and body of `/ready`."""
    checks = [check_database(), check_redis(), check_node()]
    if checks[0].ok:
        checks.append(check_worker())
    if _draining.is_set():
        status, word = 503, "draining"
    elif any(check.needed and not check.ok for check in checks):
        status, word = 503, "unavailable"
    else:
        status, word = 200, "ready" if all(check.ok for check in checks) else "degraded"
    return status, {
        "status": word,
        "checks": {check.name: {"ok": check.ok, "message": check.message} for check in checks},
    }


def check_database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Check(
            "database", False, True, "The database does not answer. Check DATABASE_URL and the database server."
        )
    return Check("database", True, True, "It answers.")


def check_redis() -> Check:
    try:
        _redis().ping()
    except redis.RedisError:
        return Check("redis", False, True, "Redis does not answer. Check REDIS_URL and the Redis server.")
    return Check("redis", True, True, "It answers.")


def check_worker() -> Check:
    if Worker.objects.filter(seen_at__gt=timezone.now() - WORKER_SEEN_WITHIN).exists():
        return Check("worker", True, False, "At least one is at work.")
    return Check("worker", False, False, "No worker was seen lately: prompts wait. Start one with `hanzo-live worker`.")


def check_node() -> Check:
    """Whether the inference node answers; asked at most every few seconds, however often this is."""
    if _node_answers(settings.NODE_URL, int(time.monotonic() // NODE_ASKED_EVERY_SECONDS)):
        return Check("node", True, False, "It answers.")
    return Check("node", False, False, "The inference node does not answer. Check NODE_URL and the node.")


@lru_cache(maxsize=1)
def _node_answers(url: str, period: int) -> bool:
    headers = {"Authorization": f"Bearer {settings.NODE_API_KEY}"} if settings.NODE_API_KEY else {}
    address = f"{url.rstrip('/').removesuffix('/v1')}/v1/models"
    try:
        # Any answer will do, also a refusal: which addresses a node has differs from engine to engine.
        return httpx.get(address, headers=headers, timeout=PROBE_SECONDS, trust_env=False).status_code < 500
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS, max_connections=10
    )
