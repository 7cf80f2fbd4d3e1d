"""Hanzo Live itself, complete: `hanzo-live serve` with its private Valkey, Celery worker and one web process."""

from __future__ import annotations

import contextlib
import http.client
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from benchmarks import measure
from benchmarks.asker import Place
from benchmarks.process import Child, TargetUnavailable, Workshop, free_port, http_answers
from benchmarks.targets import postgres, scripted_node
from benchmarks.targets.base import AskRunning, Running, Scripts, Send
from benchmarks.task import Step, ViewerShape

Server = Literal["daphne", "uvicorn"]
WEB = "hanzolive.cli.web"
# Documented settings: a benchmark's viewers are one user from one address, which the defaults refuse on purpose.
LIMITS = {
    "MAX_SOCKETS_PER_USER": "20000",
    "MAX_CONNECTIONS": "20000",
    "MAX_HANDSHAKES_PER_SECOND": "20000",
    # Counted, as outside of benchmarks: 0 would leave the counting out.
    "MAX_READS_PER_MINUTE": "1000000",
    "MAX_STREAM_STARTS_PER_MINUTE": "1000000",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A running `hanzo-live serve`."""

    child: Child
    port: int
    data: Path
    token: str
    database_url: str  # empty: SQLite in the data folder

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def redis_url(self) -> str:
        """Where its log is: what it told of itself in its data folder."""
        return str(json.loads((self.data / "serve.lock").read_text())["REDIS_URL"])

    @property
    def environment(self) -> dict[str, str]:
        """What another process needs to be at home in its data."""
        database = {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {
            **database,
            "DATA_DIR": str(self.data),
            "REDIS_URL": self.redis_url,
            "DJANGO_SETTINGS_MODULE": "hanzolive.settings",
        }

    def pids(self, part: str) -> list[int]:
        """Its processes whose command line has `part`."""
        return [pid for pid in self.child.pids if part in measure.command_line(pid)]


def serve(
    shop: Workshop, server: Server, node_port: int, database_url: str = "", settings: Mapping[str, str] | None = None
) -> Served:
    """Starts it, with an account and its token. `settings` are environment variables beside our LIMITS."""
    port, data = free_port(), shop.folder / "data"
    # fmt: off
    command = [str(scripted_node.COMMAND), "serve", "--port", str(port), "--server", server, "--data-dir", str(data),
               "--node-url", f"http://127.0.0.1:{node_port}"]
    # fmt: on
    env = {**LIMITS, **(settings or {}), **({"DATABASE_URL": database_url} if database_url else {})}
    child = shop.start("serve", command, env=env, cwd=shop.folder)
    shop.wait(child, lambda: http_answers(port, "/ready"), "Hanzo Live answered", 60)
    where = ["--data-dir", str(data), *(["--database-url", database_url] if database_url else [])]
    maker = shop.start(
        "user",
        [str(scripted_node.COMMAND), "user", "create", "bench", "--password", uuid.uuid4().hex, "--token", *where],
        cwd=shop.folder,
    )
    if maker.guard.wait(30) != 0:
        raise TargetUnavailable(f"no account could be made. Its last words:\n{maker.tail()}")
    return Served(child, port, data, maker.tail(1).strip(), database_url)


def versions(server: Server) -> str:
    return f"hanzo-live {version('hanzo-live')}, {server} {version(server)}"


@dataclass(frozen=True, slots=True)
class HanzoFanout:
    """The FanoutTarget on one of the two servers."""

    server: Server
    publisher_module: str = "benchmarks.targets.hanzo"

    @property
    def name(self) -> str:
        return f"hanzo-{self.server}"

    @property
    def title(self) -> str:
        return f"Hanzo Live ({self.server})"

    def start(self, shop: Workshop, viewers: int) -> Running:
        _, node_port = scripted_node.start(shop)
        served = serve(shop, self.server, node_port)
        log = new_session(served)
        return Running(
            viewer=viewer_of(served, log, [served.headers]),
            server_pids=served.pids(WEB),
            broker_pids=served.pids("valkey-server"),
            publisher={"redis_url": served.redis_url, "log": log},
            version=versions(self.server),
        )


def viewer_of(served: Served, log: str, identities: list[dict[str, str]]) -> ViewerShape:
    """Who watches the log, from a snapshot of it on."""
    subscribe = json.dumps({"id": 1, "type": "subscribe", "log": log})
    return ViewerShape(
        port=served.port,
        path="/v1/live",
        subprotocol="hanzo.live.v1",
        identities=identities,
        steps=[Step(send=subscribe, expect='"type":"snapshot"')],
    )


def new_session(served: Served) -> str:
    """A session's log."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    headers = {**served.headers, "Content-Type": "application/json"}
    connection.request("POST", "/v1/sessions", json.dumps({"title": "Benchmark"}), headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 201:
        raise TargetUnavailable(f"a session could not be made: {answer.status} {body[:300]}")
    return str(json.loads(body)["log"])


@dataclass(frozen=True, slots=True)
class HanzoAsk:
    """The AskTarget: over our WebSocket or our OpenAI endpoint, with SQLite or PostgreSQL."""

    name: str
    title: str
    kind: Literal["live", "sse"] = "live"
    with_postgres: bool = False

    def start(self, shop: Workshop, node_port: int, scripts: Scripts) -> AskRunning:
        url, database = postgres.start(shop) if self.with_postgres else ("", "SQLite")
        served = serve(shop, "daphne", node_port, url)
        path = "/v1/live" if self.kind == "live" else scripted_node.CHAT_PATH
        return AskRunning(
            Place(self.kind, served.port, path, served.headers),
            f"{versions('daphne')}, {database}",
            served.child.pids,
            scripts,
        )


@contextlib.asynccontextmanager
async def open_publisher(config: dict[str, Any]) -> AsyncIterator[Send]:
    """Appends each token to the log as a worker does: one atomic call that also rings the group."""
    from streaming.log import Entry, LogWriter

    writer, stream = LogWriter(config["redis_url"]), str(uuid.uuid4())

    async def send(number: int, text: str) -> None:
        await writer.append(config["log"], Entry(type="token", stream=stream, data=text, n=1))

    try:
        yield send
    finally:
        await writer.close()
