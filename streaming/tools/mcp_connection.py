"""One connection to one MCP server. It lives in a task of its own, since the SDK wants it opened and closed by one task.

Not for when to connect, again or at all: that is `mcp_servers`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from mcp import MCPError
from mcp.client import Client
from mcp_types import CONNECTION_CLOSED, INVALID_REQUEST, CallToolResult, Implementation, Tool

from streaming.tools.mcp_configured import McpServer
from streaming.tools.mcp_errors import McpRefused, McpUnavailable
from streaming.tools.mcp_results import MAX_TOOLS
from streaming.tools.mcp_transport import Way, transport, ways
from streaming.tools.specs import Told

logger = logging.getLogger(__name__)

CLOSE_S = 5.0
MAX_PAGES = 10
WE_ARE = Implementation(name="hanzo-live", version="1")


class McpConnection:
    """Open, until `close` or until it breaks; then `broken` is true and it is of no more use."""

    def __init__(self, client: Client, task: asyncio.Task[None], closing: asyncio.Event) -> None:
        self._client = client
        self._task = task
        self._closing = closing
        self._broken = False

    @classmethod
    async def open(cls, server: McpServer, within: float) -> McpConnection:
        """Connect in the first way that works. Raises McpUnavailable."""
        failure: BaseException | None = None
        for way in ways(server):
            try:
                return await cls._open(server, way, within)
            except McpUnavailable as error:
                failure = failure or error.__cause__
        raise McpUnavailable(f"The MCP server at {server.place} cannot be reached: {_words(failure)}", not_begun=True)

    @classmethod
    async def _open(cls, server: McpServer, way: Way, within: float) -> McpConnection:
        ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        closing = asyncio.Event()
        task = asyncio.create_task(_live(server, way, ready, closing), name=f"mcp {server.place}")
        task.add_done_callback(_noted)
        try:
            async with asyncio.timeout(within):
                return cls(await asyncio.shield(ready), task, closing)
        except BaseException as error:  # whatever it is, the task may not live on
            ready.cancel()
            task.cancel()
            await asyncio.wait((task,), timeout=CLOSE_S)
            if _is_ours(error):
                raise
            raise McpUnavailable("not reached") from error

    @property
    def broken(self) -> bool:
        return self._broken or self._task.done()

    async def tools(self, within: float) -> list[Tool]:
        """What it offers, at most 128. Raises McpUnavailable."""
        try:
            async with asyncio.timeout(within):
                return await self._tools()
        except Exception as error:  # a server may send what the SDK fails at in any way
            self._broken = True
            raise McpUnavailable(f"The MCP server does not list its tools: {_words(error)}", not_begun=True) from error

    async def _tools(self) -> list[Tool]:
        found: list[Tool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await self._client.list_tools(cursor=cursor, cache_mode="bypass")
            found += page.tools
            cursor = page.next_cursor
            if cursor is None or len(found) >= MAX_TOOLS:
                break
        return found[:MAX_TOOLS]

    async def call(self, tool: str, args: dict[str, Any], progressed: Callable[[Told], None]) -> CallToolResult:
        """Call a tool; `progressed` is called with what the server says whenever it is getting on.

        Raises McpUnavailable, McpRefused.
        """

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            progressed(Told.of(progress, total, message))

        calling = asyncio.ensure_future(self._client.call_tool(tool, args, progress_callback=on_progress))
        try:
            # The connection may end without a word to whoever waits for an answer.
            await asyncio.wait((calling, self._task), return_when=asyncio.FIRST_COMPLETED)
            if not calling.done():
                raise McpUnavailable("The connection to the MCP server was lost.")
            return calling.result()
        except MCPError as error:
            if error.code not in (CONNECTION_CLOSED, INVALID_REQUEST):
                raise McpRefused(str(error)) from error
            self._broken = True
            # A server that was restarted does not know our session, and did nothing.
            raise McpUnavailable(
                "The connection to the MCP server was lost.", not_begun=error.code == INVALID_REQUEST
            ) from error
        except (McpUnavailable, OSError) as error:
            self._broken = True
            raise error if isinstance(error, McpUnavailable) else McpUnavailable(_words(error)) from error
        finally:
            calling.cancel()
            # Not awaited: its failure was told above, and being cancelled here has to stay that.
            await asyncio.wait((calling,))
            if not calling.cancelled():
                calling.exception()

    async def close(self) -> None:
        """Say goodbye, within a few seconds."""
        self._broken = True
        self._closing.set()
        await asyncio.wait((self._task,), timeout=CLOSE_S)
        self._task.cancel()


async def _live(server: McpServer, way: Way, ready: asyncio.Future[Client], closing: asyncio.Event) -> None:
    try:
        async with Client(transport(server, way), client_info=WE_ARE, cache=None) as client:
            if not ready.done():
                ready.set_result(client)
            await closing.wait()
    except BaseException as error:  # handed to whoever waits for the connection, or raised: `_noted` logs it
        if not ready.done():
            ready.set_exception(_first(error))
            ready.exception()  # whoever waited may have gone
            return
        raise


def _noted(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.warning("The connection %s ended: %s", task.get_name(), _words(error))


def _first(error: BaseException) -> BaseException:
    """The cause within groups of errors, which anyio wraps around what went wrong."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return ConnectionError("cancelled") if isinstance(error, asyncio.CancelledError) else error


def _words(error: BaseException | None) -> str:
    if error is None:
        return "it does not answer"
    error = _first(error)
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return (str(error) or type(error).__name__).partition("\n")[0][:300]


def _is_ours(error: BaseException) -> bool:
    """Whether it is no failure of the connection: we were cancelled, or the process ends."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return not isinstance(error, (Exception, BaseExceptionGroup))
