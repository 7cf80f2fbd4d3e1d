"""The scripted node (`hanzo-live node`): what P4's targets stand before, and itself asked directly as the baseline."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.asker import Place
from benchmarks.process import Child, TargetUnavailable, Workshop, free_port, http_answers
from benchmarks.targets.base import AskRunning, Scripts

COMMAND = Path(sys.executable).with_name("hanzo-live")
CHAT_PATH = "/v1/chat/completions"


def start(shop: Workshop) -> tuple[Child, int]:
    """The node on a free port of 127.0.0.1."""
    if not COMMAND.exists():
        raise TargetUnavailable("hanzo-live is not installed beside this Python: run `make run` or `make bench`")
    port = free_port()
    child = shop.start("node", [COMMAND, "node", "--port", str(port)])
    shop.wait(child, lambda: http_answers(port, "/v1/models"), "the scripted node answered")
    return child, port


@dataclass(frozen=True, slots=True)
class NodeItself:
    """The AskTarget with nothing in between."""

    name: str = "node"
    title: str = "the node asked directly"

    def start(self, shop: Workshop, node_port: int, scripts: Scripts) -> AskRunning:
        try:
            own = version("hanzo-live-server")
        except PackageNotFoundError:
            own = version("hanzo-live")
        return AskRunning(Place("sse", node_port, CHAT_PATH, {}), f"hanzo-live {own}", [], scripts)
