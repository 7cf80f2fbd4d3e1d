"""Everything real behind the browser: `hanzo-live serve`, and the scripted node that it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from hanzolive.nodes.scripted import expected_text
from tests.cli.processes import Serve


@dataclass(frozen=True)
class Stack:
    """A server and its node."""

    serve: Serve
    node_url: str

    @property
    def url(self) -> str:
        return self.serve.url

    @property
    def web_process(self) -> int | None:
        return self.serve.child("hanzolive.cli.web")

    def asked(self, prompt: str, *, settled: bool = False) -> list[dict[str, Any]]:
        """What the node was asked with `prompt` in its last message, oldest first; `settled`: once nothing runs."""
        query = "?settled" if settled else ""
        requests = httpx.get(f"{self.node_url}/script/log{query}", timeout=10).json()["requests"]
        return [each for each in requests if each["messages"] and prompt in each["messages"][-1]["content"]]

    def answer_to(self, prompt: str) -> str:
        """The whole text that the node's script says to what it was asked."""
        request = self.asked(prompt)[-1]
        return expected_text(request["requested_model"], request["messages"])
