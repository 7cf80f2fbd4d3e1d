"""Everything real behind the browser: `hanzo-live serve`, and the scripted node that it asks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from hanzolive.folder import redis_url
from hanzolive.nodes.scripted import expected_text
from tests.cli.processes import COMMAND, Serve, clean_environment, hanzo_live, serving
from tests.deploy.nginx import Nginx, nginx


class ScriptedNode:
    """`hanzo-live node`, that can go away and come back at the same address."""

    def __init__(self) -> None:
        self._port = "0"
        self.start()

    def start(self) -> None:
        """Returns once it listens."""
        self._process = subprocess.Popen(
            [*COMMAND, "node", "--port", self._port], stdout=subprocess.PIPE, env=clean_environment(), text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[1]
        self._port = self.url.rpartition(":")[2]

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)

    def asked(self, prompt: str, *, settled: bool = False) -> list[dict[str, Any]]:
        """What it was asked with `prompt` in the last message, oldest first; `settled`: once nothing runs."""
        query = "?settled=1" if settled else ""
        requests = httpx.get(f"{self.url}/script/log{query}", timeout=10).json()["requests"]
        return [each for each in requests if each["messages"] and prompt in each["messages"][-1]["content"]]


@dataclass(frozen=True)
class Stack:
    """A server and its node."""

    serve: Serve
    node: ScriptedNode
    second: Serve | None = None
    proxy: Nginx | None = None
    """What stands before both web processes; None where browsers come to the only one itself."""

    @property
    def url(self) -> str:
        return self.serve.url if self.proxy is None else f"https://127.0.0.1:{self.proxy.port}"

    @property
    def web_processes(self) -> list[int]:
        serves = [self.serve] if self.second is None else [self.serve, self.second]
        return [pid for serve in serves if (pid := serve.child("hanzolive.cli.web")) is not None]

    def answer_to(self, prompt: str) -> str:
        """The whole text that the node's script says to what it was asked last with `prompt`."""
        request = self.node.asked(prompt)[-1]
        return expected_text(request["requested_model"], request["messages"])


@contextmanager
def running(place: Path, *flags: str, through_nginx: bool = False, **environment: str) -> Iterator[Stack]:
    """Both of them, with what they keep and print in the folder `place`; with nginx before two web processes where asked."""
    node = ScriptedNode()
    if through_nginx:
        environment["TRUSTED_PROXIES"] = "127.0.0.1"
    try:
        with serving(place / "data", place / "output", "--node-url", node.url, *flags, **environment) as serve:
            if not through_nginx:
                yield Stack(serve, node)
                return
            with _beside(place, serve, node, environment) as second, _before(place, serve, second) as proxy:
                yield Stack(serve, node, second, proxy)
    finally:
        node.stop()


@contextmanager
def _beside(place: Path, first: Serve, node: ScriptedNode, environment: Mapping[str, str]) -> Iterator[Serve]:
    """Another web process on the same database and Redis."""
    shared = {
        "REDIS_URL": redis_url(first.data),
        "DATABASE_URL": f"sqlite:///{first.data}/db.sqlite3",
        "SECRET_KEY": (first.data / "secret-key").read_text(),
        "MEDIA_DIR": str(first.data / "media"),
    }
    (place / "second").mkdir()
    flags = ("--node-url", node.url, "--workers", "0")
    with serving(place / "second" / "data", place / "second" / "output", *flags, **{**environment, **shared}) as second:
        yield second


@contextmanager
def _before(place: Path, first: Serve, second: Serve) -> Iterator[Nginx]:
    written = hanzo_live("static", str(place / "static"))
    assert written.returncode == 0, written.stderr
    (place / "nginx").mkdir()
    ports = [urlsplit(each.url).port or 0 for each in (first, second)]
    with nginx(place / "nginx", ports, place / "static") as proxy:
        yield proxy
