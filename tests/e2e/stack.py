"""Everything real behind the browser: `hanzo-live serve`, and the scripted node that it asks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from hanzolive.nodes.scripted import expected_text
from tests.cli.processes import COMMAND, Serve, clean_environment, serving


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

    @property
    def url(self) -> str:
        return self.serve.url

    @property
    def web_process(self) -> int | None:
        return self.serve.child("hanzolive.cli.web")

    def answer_to(self, prompt: str) -> str:
        """The whole text that the node's script says to what it was asked last with `prompt`."""
        request = self.node.asked(prompt)[-1]
        return expected_text(request["requested_model"], request["messages"])


@contextmanager
def running(place: Path, *flags: str, **environment: str) -> Iterator[Stack]:
    """Both of them, with what they keep and print in the folder `place`."""
    node = ScriptedNode()
    try:
        with serving(place / "data", place / "output", "--node-url", node.url, *flags, **environment) as serve:
            yield Stack(serve, node)
    finally:
        node.stop()
