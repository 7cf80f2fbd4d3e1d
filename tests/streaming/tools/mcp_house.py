"""Real MCP servers for the tests: the public `mcp-server-time`, and one of ours that fails in every way, over any transport."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Literal

import anyio
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_server_time.server import create_server
from mcp_types import ToolAnnotations

from hanzolive.nodes.serve import bind
from streaming.tools.mcp_configured import McpServer, NamedServer
from tests.streaming.runner.house import until

Transport = Literal["http", "sse", "stdio"]
TRANSPORTS: tuple[Transport, ...] = ("http", "sse", "stdio")
# So often the odd server says that it is getting on.
PROGRESS_S = 0.02


def time_server() -> MCPServer[Any]:
    return create_server("UTC")


def odd_server(release: threading.Event, called: list[str]) -> MCPServer[Any]:
    """Tools that wait for `release`, tell of progress, fail, give too much, or have names that no model can call."""
    server: MCPServer[Any] = MCPServer("odd")

    async def _released(context: Context | None = None) -> None:
        while not await anyio.to_thread.run_sync(release.wait, PROGRESS_S):
            if context is not None:
                await context.report_progress(1, 3, "Layer 1\nof 3")

    @server.tool()
    async def wait() -> str:
        called.append("wait")
        await _released()
        return "at last"

    @server.tool()
    async def wait_with_progress(ctx: Context) -> str:
        await _released(ctx)
        return "at last"

    @server.tool()
    def fail() -> str:
        raise ToolError("the shelf is empty")

    @server.tool()
    def much() -> str:
        return "much " * 100_000

    @server.tool(name="no name for a model")
    def unnamed() -> str:
        return ""

    @server.tool(annotations=ToolAnnotations(idempotent_hint=True))
    def again() -> str:
        called.append("again")
        return "again"

    return server


class Served:
    """A server on HTTP in a thread. `stop` and `start` again keep its port."""

    def __init__(self, make: Callable[[], MCPServer[Any]], transport: Literal["http", "sse"]) -> None:
        self._make = make
        self._transport = transport
        listener = bind("127.0.0.1", 0)
        self._port = int(listener.getsockname()[1])
        listener.close()
        self.start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/{'mcp' if self._transport == 'http' else 'sse'}"

    def start(self) -> None:
        made = self._make()
        app = made.streamable_http_app() if self._transport == "http" else made.sse_app()
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=0, lifespan="on")
        self._server = uvicorn.Server(config)
        listener = bind("127.0.0.1", self._port)
        self._thread = threading.Thread(target=lambda: self._server.run(sockets=[listener]), daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


def time_over_stdio() -> NamedServer:
    return NamedServer("time", McpServer(command=sys.executable, args=("-m", "mcp_server_time")))
