"""One whole server, with an edge before it, and a relay between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.clients.edge.edge import SHIPPED, edge
from tests.clients.edge.relay import Relay, relay
from tests.integration.conftest import Room, make_room, node_url, prompt, start, start_for_all
from tests.integration.stack import Stack

__all__ = ["node_url", "prompt", "start", "start_for_all"]

# The Worker that ships, which also tells how many objects were made: more than there are logs where one slept and woke.
COUNTED = f"""
{(SHIPPED / "worker.ts").read_text().replace("export { HanzoLiveSession }", "import { HanzoLiveSession as Session }").replace("Response('Hanzo Live Edge'", "Response(String(made)")}
let made = 0
export class HanzoLiveSession extends Session {{
  constructor(context, env) {{
    super(context, env)
    made += 1
  }}
}}
"""


@dataclass(frozen=True)
class AtTheEdge(Stack):
    """The server, its sockets reached through the edge."""

    origin: str = ""
    between: Relay | None = None

    @property
    def socket_url(self) -> str:
        return self.origin.replace("http", "ws", 1) + "/v1/live"

    @property
    def direct_url(self) -> str:
        return super().socket_url

    @property
    def relay(self) -> Relay:
        assert self.between is not None
        return self.between

    def objects_made(self) -> int:
        return int(httpx.get(self.origin, trust_env=False).text)


@pytest.fixture(scope="session")
def stack(start_for_all: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtTheEdge]:
    server = start_for_all()
    with (
        relay(int(server.url.rpartition(":")[2])) as between,
        edge(tmp_path_factory.mktemp("edge"), COUNTED, f"http://127.0.0.1:{between.port}") as origin,
    ):
        yield AtTheEdge(server.serve, server.node, server.people, origin, between)


@pytest.fixture
def room(stack: AtTheEdge) -> Room:
    return make_room(stack)
