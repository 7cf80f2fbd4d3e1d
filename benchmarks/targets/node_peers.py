"""The peers on Node.js: `ws` and Socket.IO, each a few lines that take the stream from Redis pub/sub and broadcast it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ROOT, Child, TargetUnavailable, Workshop, free_port, port_answers
from benchmarks.targets import broker
from benchmarks.targets.base import Running
from benchmarks.task import Dialect, Step, ViewerShape

PEERS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True, slots=True)
class NodePeer:
    """A FanoutTarget that is one Node.js program."""

    name: str
    title: str
    package: str
    program: Path
    path: str
    dialect: Dialect
    steps: tuple[Step, ...] = ()
    publisher_module: str = "benchmarks.targets.broker"

    def start(self, shop: Workshop, viewers: int) -> Running:
        version = version_of(self.package)
        valkey, redis_port = broker.start(shop)
        server, port = run(shop, self.name, self.program, str(redis_port))
        return Running(
            viewer=ViewerShape(port=port, path=self.path, dialect=self.dialect, steps=list(self.steps)),
            server_pids=server.pids,
            broker_pids=valkey.pids,
            publisher={"port": redis_port},
            version=version,
        )


def version_of(package: str) -> str:
    """The installed version of a peer's npm package. Raises TargetUnavailable, in words."""
    manifest = PEERS / "node_modules" / package / "package.json"
    if not manifest.exists():
        raise TargetUnavailable(f"the npm package {package} is not installed: run benchmarks/setup.sh")
    return str(json.loads(manifest.read_text())["version"])


def run(shop: Workshop, name: str, program: Path, *arguments: str) -> tuple[Child, int]:
    """A peer's program, and the port that it listens on, which is its first argument."""
    node = shutil.which("node")
    if node is None:
        raise TargetUnavailable("Node.js is not installed: install Node 20 and run benchmarks/setup.sh")
    port = free_port()
    server = shop.start(name, [node, program, str(port), *arguments], cwd=PEERS)
    shop.wait(server, lambda: port_answers(port), "it listened")
    return server, port


SOCKET_IO_PATH = "/socket.io/?EIO=4&transport=websocket"
SOCKET_IO_STEPS = (Step(expect='0{"sid"'), Step(send="40", expect='40{"sid"'))
WS = NodePeer("ws", "Node ws", "ws", PEERS / "ws" / "server.mjs", "/", "event")
SOCKET_IO = NodePeer(
    "socket.io",
    "Socket.IO",
    "socket.io",
    PEERS / "socketio" / "server.mjs",
    SOCKET_IO_PATH,
    "socket.io",
    SOCKET_IO_STEPS,
)
