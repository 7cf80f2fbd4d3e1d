"""The MCP servers that a process talks to: connected when first needed, kept, connected again when lost, closed when idle."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streaming.tools.mcp_configured import NamedServer
from streaming.tools.mcp_errors import McpRefused, McpUnavailable
from streaming.tools.signs_of_life import while_it_tells
from streaming.tools.specs import Told, ToolOutcome, ToolSpec

if TYPE_CHECKING:
    from streaming.tools.mcp_connection import McpConnection

logger = logging.getLogger(__name__)

# Less than after which a stream's task counts as lost: its tools are asked for before it is claimed.
CONNECT_S = 4.0
# How long a list of tools is used without asking.
FRESH_S = 30.0
# After this long unused, a connection is looked at before something is called over it.
DOUBT_S = 10.0
IDLE_S = 300.0


@dataclass
class _Kept:
    """What is kept of one server. `lock`: one at a time connects and lists."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    connection: McpConnection | None = None
    specs: list[ToolSpec] = field(default_factory=list)
    listed_at: float = float("-inf")
    used_at: float = float("-inf")
    calls: int = 0


class McpServers:
    """For one event loop. `clock` in seconds. `async with` it, or `close` it."""

    def __init__(self, *, connect_within: float = CONNECT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[tuple[str, str, bool], _Kept] = {}
        self._within = connect_within
        self._clock = clock

    async def __aenter__(self) -> McpServers:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        connections = [kept.connection for kept in self._kept.values() if kept.connection is not None]
        self._kept.clear()
        await asyncio.gather(*(connection.close() for connection in connections))

    async def close_idle(self) -> None:
        """Close what nobody used for a while."""
        for key, kept in list(self._kept.items()):
            if kept.calls == 0 and not kept.lock.locked() and self._clock() - kept.used_at > IDLE_S:
                del self._kept[key]
                if kept.connection is not None:
                    await kept.connection.close()

    async def tools(self, named: NamedServer) -> list[ToolSpec]:
        """What the server offers. Raises McpUnavailable."""
        kept = self._of(named)
        async with kept.lock:
            if self._clock() - kept.listed_at > FRESH_S or kept.connection is None or kept.connection.broken:
                await self._list(named, kept)
            return kept.specs

    async def call(
        self,
        named: NamedServer,
        spec: ToolSpec,
        args: Mapping[str, Any],
        *,
        limit_s: float,
        max_bytes: int,
        tell: Callable[[Told], None] = lambda told: None,
    ) -> ToolOutcome:
        """What the tool gave, or why not: it never raises for what the server does.

        `limit_s` is how long the server may be silent; its progress, which `tell` is told, extends it, up to twenty times.
        """
        kept = self._of(named)
        kept.calls += 1
        try:
            return await self._call(named, kept, spec, dict(args), named.server.timeout or limit_s, max_bytes, tell)
        except McpRefused as error:
            return ToolOutcome.failed(f"The MCP server refused: {error}")
        except McpUnavailable as error:
            return ToolOutcome.failed(
                str(error) if error.not_begun else f"{error} Whether the tool did its work is not known."
            )
        finally:
            kept.calls -= 1
            kept.used_at = self._clock()

    async def _call(
        self,
        named: NamedServer,
        kept: _Kept,
        spec: ToolSpec,
        args: dict[str, Any],
        limit_s: float,
        max_bytes: int,
        tell: Callable[[Told], None],
    ) -> ToolOutcome:
        for again in (True, False):
            connection = await self._connection(named, kept)
            try:
                return await self._within_time(connection, spec, args, limit_s, max_bytes, tell)
            except McpUnavailable as error:
                if not again or not (error.not_begun or spec.repeatable):
                    raise
                logger.info("The MCP server %s is connected to again.", named.name)
        raise AssertionError("unreachable")

    async def _within_time(
        self,
        connection: McpConnection,
        spec: ToolSpec,
        args: dict[str, Any],
        limit_s: float,
        max_bytes: int,
        tell: Callable[[Told], None],
    ) -> ToolOutcome:
        name = spec.original or spec.name
        try:
            result = await while_it_tells(lambda told: connection.call(name, args, told), limit_s=limit_s, tell=tell)
        except TimeoutError:
            return ToolOutcome.failed(f"The tool took longer than {limit_s:g} seconds and was given up.")
        from streaming.tools.mcp_results import outcome_of

        return outcome_of(result, max_bytes)

    async def _connection(self, named: NamedServer, kept: _Kept) -> McpConnection:
        async with kept.lock:
            connection = kept.connection
            doubtful = self._clock() - kept.used_at > DOUBT_S and kept.calls <= 1
            if connection is None or connection.broken or doubtful:
                await self._list(named, kept)
            assert kept.connection is not None
            return kept.connection

    async def _list(self, named: NamedServer, kept: _Kept) -> None:
        """Ask for the tools, over a new connection where the old one does not answer. Raises McpUnavailable."""
        from streaming.tools.mcp_connection import McpConnection  # the SDK is loaded where there is a server

        if kept.connection is not None and not kept.connection.broken:
            try:
                await self._ask(named, kept, kept.connection)
                return
            except McpUnavailable:
                logger.info("The MCP server %s does not answer any more; it is connected to again.", named.name)
        if kept.connection is not None:
            await kept.connection.close()
            kept.connection = None
        connection = await McpConnection.open(named.server, self._within)
        kept.connection = connection
        await self._ask(named, kept, connection)

    async def _ask(self, named: NamedServer, kept: _Kept, connection: McpConnection) -> None:
        from streaming.tools.mcp_results import specs_of

        kept.specs = specs_of(named, await connection.tools(self._within))
        kept.listed_at = kept.used_at = self._clock()

    def _of(self, named: NamedServer) -> _Kept:
        # By what it is and not only by its name: two callers' servers are never mixed up.
        return self._kept.setdefault((named.name, named.server.url, named.named_by_caller), _Kept())
