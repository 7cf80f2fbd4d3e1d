"""`hanzo-live check`: what is reachable and what is wrong, in words. Asks; changes nothing."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

import httpx
import redis
from redis.exceptions import RedisError

from hanzo_live.protocol.errors import LiveError
from hanzolive.cli import node, page
from hanzolive.cli.beside import configuration_of, require_database, set_up_django
from hanzolive.cli.check_deploy import deployment
from hanzolive.cli.configuration import Configuration, without_password
from hanzolive.cli.errors import OperatorError
from hanzolive.cli.findings import Finding
from hanzolive.cli.places import listen, serving
from hanzolive.cli.redis import OLDEST
from streaming.node.configured import ConfiguredNode

# A worker process that has not been seen for longer holds no lease any more.
WORKER_SEEN_WITHIN = timedelta(seconds=10)


Findings = Iterator[Finding]


def run(args: Namespace) -> int:
    """0 when nothing is wrong (warnings are not wrong), else 1. Raises OptionError for settings that cannot be read."""
    configuration = configuration_of(args)
    code = 0
    found = [findings(configuration), *([deployment(configuration)] if args.deploy else [])]
    for finding in chain.from_iterable(found):
        print(f"{finding.verdict:<9}{finding.subject:<13}{finding.words}", flush=True)
        code |= finding.verdict == "wrong"
    return code


def findings(configuration: Configuration) -> Findings:
    """Everything that is found, one subject after the other."""
    checks: tuple[Callable[[Configuration], Findings], ...] = (_folder, _redis, _node, _database, _port)
    for check in checks:
        try:
            yield from check(configuration)
        except OperatorError as error:
            yield Finding("wrong", check.__name__.strip("_").capitalize(), str(error))


def _folder(configuration: Configuration) -> Findings:
    folder = configuration.folder
    if not folder.exists():
        yield Finding("warning", "Data folder", f"{folder} is not there yet; `hanzo-live serve` makes it.")
    elif not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        yield Finding("wrong", "Data folder", f"{folder} cannot be written. Give a folder of yours with --data-dir.")
    else:
        yield Finding("ok", "Data folder", str(folder))


def _redis(configuration: Configuration) -> Findings:
    url = configuration.redis_url
    shown = without_password(url)
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, max_connections=2) as client:
            server: Any = client.info("server")
            kept: Any = client.info("persistence")
            memory: Any = client.info("memory")
    except (RedisError, OSError, ValueError) as error:
        advice = (
            "Start it, or name another with --redis."
            if configuration["REDIS_URL"]
            else "The private one runs while `hanzo-live serve` does: start that, or name your own with --redis."
        )
        yield Finding("wrong", "Redis", f"{shown} does not answer ({error}). {advice}")
        return
    name = server.get("server_name", "redis").capitalize()
    version = server.get("valkey_version") or server["redis_version"]
    if tuple(int(part) for part in server["redis_version"].split(".")[:2]) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        yield Finding("wrong", "Redis", f"{name} {version} at {shown} is too old. Install {wanted} or newer.")
    else:
        yield Finding("ok", "Redis", f"{name} {version} at {shown}")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            "warning",
            "Redis",
            f"It evicts keys when its memory is full ({policy}): logs would be lost. Set maxmemory-policy noeviction.",
        )
    if not kept.get("aof_enabled"):
        yield Finding(
            "warning",
            "Redis",
            "It keeps no append-only file: what came after its last snapshot is lost when it dies. Set appendonly yes.",
        )


def _node(configuration: Configuration) -> Findings:
    wanted, offered_by_any = configuration["NODE_MODEL"], False
    for each in configuration.nodes:
        subject = f"Node {each.name}" if configuration["NODES"] else "Node"
        try:
            offered = asyncio.run(node.models(each))
        except LiveError as error:
            demo = not (configuration["NODE_URL"] or configuration["NODES"])
            advice = " The demo model runs while `hanzo-live serve` does." if demo else ""
            yield Finding("wrong", subject, f"{each.url}: {error.message}{advice}")
            offered_by_any = True  # it may be that one's
            continue
        names = ", ".join(model.name for model in offered[:5]) + (
            f" and {len(offered) - 5} more" if len(offered) > 5 else ""
        )
        offered_by_any = offered_by_any or wanted in {*each.models, *(model.id for model in offered)}
        if wanted and not configuration["NODES"] and not offered_by_any:
            yield Finding(
                "wrong", subject, f"{each.url} does not offer NODE_MODEL {wanted}. It offers: {names or 'nothing'}."
            )
        elif not offered:
            yield Finding("warning", subject, f"{each.url} answers but offers no model yet.")
        else:
            yield Finding("ok", subject, f"{each.url} offers {names}.")
            yield from _maps(subject, each, {model.id for model in offered})
    if wanted and configuration["NODES"] and not offered_by_any:
        yield Finding(
            "wrong", "Nodes", f"None offers NODE_MODEL {wanted}. Set another, or map it in a node's `models`."
        )


def _maps(subject: str, configured: ConfiguredNode, offered: set[str]) -> Findings:
    """Names that lead to nothing."""
    lost = sorted({own for own in configured.models.values() if own.partition("@")[0] not in offered})
    if lost:
        yield Finding("warning", subject, f"Its `models` name what it does not offer: {', '.join(lost[:5])}.")


def _database(configuration: Configuration) -> Findings:
    set_up_django(configuration)
    require_database(configuration)
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    shown = f"{connection.display_name} at {configuration.database_name}"
    if missing:
        yield Finding(
            "wrong",
            "Database",
            f"{shown} lacks {len(missing)} migrations. `hanzo-live serve` applies them when it starts.",
        )
        return
    yield Finding("ok", "Database", f"{shown}, all migrations applied")
    yield from _worker()


def _worker() -> Findings:
    from django.utils import timezone

    from streaming.models import Worker

    alive = Worker.objects.filter(seen_at__gt=timezone.now() - WORKER_SEEN_WITHIN).count()
    if alive:
        yield Finding("ok", "Worker", f"{alive} alive")
    else:
        yield Finding(
            "wrong",
            "Worker",
            "None was seen lately, so no model is asked. Start `hanzo-live serve` or `hanzo-live worker`.",
        )


def _port(configuration: Configuration) -> Findings:
    url = page.address(configuration["HOST"], configuration["PORT"])
    try:
        answer = httpx.get(f"{url}/health", timeout=5, trust_env=False)
    except httpx.HTTPError:
        if serving(configuration.folder) is not None:
            yield Finding(
                "wrong",
                "Web server",
                f"`hanzo-live serve` runs, but nothing answers at {url}. See the logs in {configuration.folder}/logs.",
            )
            return
        listen(configuration["HOST"], configuration["PORT"]).close()
        yield Finding("warning", "Web server", f"Nothing is served at {url}; the port is free.")
        return
    if answer.status_code == 200:
        yield Finding("ok", "Web server", f"{url} answers.")
    else:
        yield Finding(
            "wrong", "Web server", f"{url} answers with status {answer.status_code}: something else may listen there."
        )
