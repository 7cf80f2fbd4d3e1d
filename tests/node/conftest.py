"""The scripted node under a real uvicorn, in a thread with a loop of its own, on a free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hanzolive.nodes.scripted import ScriptedNode
from hanzolive.nodes.serve import bind, make_server
from streaming.node import NodeConfig, NodeTimeouts


@dataclass(frozen=True)
class Node:
    """A running node and the way to its log."""

    url: str

    def config(self, **fields: Any) -> NodeConfig:
        return NodeConfig(self.url, timeouts=NodeTimeouts(5, 10, 10), **fields)

    def log(self) -> list[dict[str, Any]]:
        """Every request since the test began, once none is being answered."""
        answer = httpx.get(self.url + "/script/log?settled=1", timeout=10).json()
        assert answer["running"] == 0, "the node is still answering"
        requests: list[dict[str, Any]] = answer["requests"]
        return requests


def run_node(**options: Any) -> Iterator[Node]:
    listener = bind("127.0.0.1", 0)
    server = make_server(**options)
    assert isinstance(server.config.app, ScriptedNode)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield Node(f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def _scripted_node() -> Iterator[Node]:
    yield from run_node()


@pytest.fixture
def node(_scripted_node: Node) -> Node:
    httpx.delete(_scripted_node.url + "/script/log")
    return _scripted_node


@pytest.fixture
def locked_node() -> Iterator[Node]:
    """It wants a key, and knows `gpt-4` by an alias."""
    yield from run_node(api_key="sesame", aliases={"gpt-4": "script-tools@calls=2"})
