from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from streaming.tools.mcp_configured import McpServer, NamedServer
from tests.streaming.tools.mcp_house import TRANSPORTS, Served, odd_server, time_over_stdio, time_server


@pytest.fixture(params=TRANSPORTS)
def time_mcp(request: Any) -> Iterator[NamedServer]:
    """The public `mcp-server-time`, over each of the three transports."""
    if request.param == "stdio":
        yield time_over_stdio()
        return
    served = Served(time_server, request.param)
    yield NamedServer("time", McpServer(url=served.url))
    served.stop()


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets the odd server's waiting tools go on."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def called() -> list[str]:
    """What the odd server was asked to do."""
    return []


@pytest.fixture(params=["http", "sse"])
def odd_served(request: Any, release: threading.Event, called: list[str]) -> Iterator[Served]:
    transport: Literal["http", "sse"] = request.param
    served = Served(lambda: odd_server(release, called), transport)
    yield served
    release.set()
    served.stop()
