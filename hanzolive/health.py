"""Whether this server can do its work, and what of it is missing, for probes and people.

`/health` says that the process answers. `/ready` says whether it should get traffic: not while it drains, or without
database or Redis. A missing node or worker is told and changes nothing: a restart of the web process would not help.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

import httpx
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from streaming.configured import configured_nodes
from streaming.models import Worker

PROBE_SECONDS = 1.0
NODE_ASKED_EVERY_SECONDS = 5
ASKED_AT_ONCE = 16
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
    """Whether the inference nodes answer; asked at most every few seconds, however often this is."""
    nodes = configured_nodes()
    asked = tuple((node.name, node.url, node.key.get_secret_value()) for node in nodes)
    silent = _silent_nodes(asked, int(time.monotonic() // NODE_ASKED_EVERY_SECONDS))
    if len(nodes) == 1:
        if not silent:
            return Check("node", True, False, "It answers.")
        return Check("node", False, False, "The inference node does not answer. Check NODE_URL and the node.")
    if not silent:
        return Check("node", True, False, f"All {len(nodes)} answer.")
    left, one = len(nodes) - len(silent), len(silent) == 1
    return Check(
        "node",
        False,
        False,
        f"{', '.join(silent)} {'does' if one else 'do'} not answer; {left} of {len(nodes)} nodes "
        f"{'does' if left == 1 else 'do'}. Check NODES and {'that node' if one else 'those nodes'}.",
    )


@lru_cache(maxsize=1)
def _silent_nodes(nodes: tuple[tuple[str, str, str], ...], period: int) -> tuple[str, ...]:
    """The names of those (name, address, key) that do not answer, asked side by side."""
    with ThreadPoolExecutor(min(len(nodes), ASKED_AT_ONCE)) as threads:
        answers = list(threads.map(lambda node: _node_answers(node[1], node[2]), nodes))
    return tuple(node[0] for node, answers_ in zip(nodes, answers, strict=True) if not answers_)


def _node_answers(url: str, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
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
