"""The peers on Node.js: `ws` and Socket.IO, each a few lines that take the stream from Redis pub/sub and broadcast it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ROOT, TargetUnavailable, Workshop, free_port, port_answers
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
        node = shutil.which("node")
        manifest = PEERS / "node_modules" / self.package / "package.json"
        if node is None:
            raise TargetUnavailable("Node.js is not installed: install Node 20 and run benchmarks/setup.sh")
        if not manifest.exists():
            raise TargetUnavailable(f"the npm package {self.package} is not installed: run benchmarks/setup.sh")
        valkey, redis_port = broker.start(shop)
        port = free_port()
        server = shop.start(self.name, [node, self.program, str(port), str(redis_port)], cwd=PEERS)
        shop.wait(server, lambda: port_answers(port), "it listened")
        return Running(
            viewer=ViewerShape(port=port, path=self.path, dialect=self.dialect, steps=list(self.steps)),
            server_pids=server.pids,
            broker_pids=valkey.pids,
            publisher={"port": redis_port},
            version=json.loads(manifest.read_text())["version"],
        )


WS = NodePeer("ws", "Node ws", "ws", PEERS / "ws" / "server.mjs", "/", "event")
SOCKET_IO = NodePeer(
    "socket.io",
    "Socket.IO",
    "socket.io",
    PEERS / "socketio" / "server.mjs",
    "/socket.io/?EIO=4&transport=websocket",
    "socket.io",
    (Step(expect='0{"sid"'), Step(send="40", expect='40{"sid"')),
)
