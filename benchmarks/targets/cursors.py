"""Where people move cursors (P10): a session of Hanzo Live, and peers on Node.js that pass every move on as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.lines import Helper
from benchmarks.process import Workshop
from benchmarks.targets import hanzo, node_peers, scripted_node
from benchmarks.targets.base import CursorsRunning
from benchmarks.task import CursorDialect, Step, ViewerShape


@dataclass(frozen=True, slots=True)
class HanzoCursors:
    """The CursorTarget on one of the two servers: members of one session, each with an account."""

    server: hanzo.Server

    @property
    def name(self) -> str:
        return f"hanzo-{self.server}"

    @property
    def title(self) -> str:
        return f"Hanzo Live ({self.server})"

    def start(self, shop: Workshop, people: int) -> CursorsRunning:
        _, node_port = scripted_node.start(shop)
        served = hanzo.serve(shop, self.server, node_port)
        log = hanzo.new_session(served)
        session = log.removeprefix("session:")
        order = {"what": "people", "session": session, "count": people}
        seeded = Helper.start(shop, "seeding", "seeding", order, served.environment).hear("seeded", 60)
        identities = [{"Authorization": f"Bearer {token}"} for token in seeded["tokens"]]
        return CursorsRunning(
            viewer=hanzo.viewer_of(served, log, identities),
            people=seeded["ids"],
            session=session,
            dialect="hanzo",
            server_pids=served.pids(hanzo.WEB),
            broker_pids=served.pids("valkey-server"),
            version=hanzo.versions(self.server),
        )


@dataclass(frozen=True, slots=True)
class NodeCursors:
    """A CursorTarget that is one Node.js program. Who somebody is, it is told in a header."""

    name: str
    title: str
    package: str
    program: Path
    path: str
    dialect: CursorDialect
    steps: tuple[Step, ...] = ()

    def start(self, shop: Workshop, people: int) -> CursorsRunning:
        version = node_peers.version_of(self.package)
        server, port = node_peers.run(shop, self.name, self.program)
        ids = [f"person-{number}" for number in range(people)]
        return CursorsRunning(
            viewer=ViewerShape(
                port=port, path=self.path, identities=[{"X-User": id} for id in ids], steps=list(self.steps)
            ),
            people=ids,
            session="",
            dialect=self.dialect,
            server_pids=server.pids,
            broker_pids=[],
            version=version,
        )


WS_CURSORS = NodeCursors("ws", "Node ws", "ws", node_peers.PEERS / "ws" / "cursors.mjs", "/", "ws")
SOCKET_IO_CURSORS = NodeCursors(
    "socket.io",
    "Socket.IO",
    "socket.io",
    node_peers.PEERS / "socketio" / "cursors.mjs",
    node_peers.SOCKET_IO_PATH,
    "socket.io",
    node_peers.SOCKET_IO_STEPS,
)
