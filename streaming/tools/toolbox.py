"""The tools that one stream may use, by name: put together from what was asked for and what the operator offers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.tools.mcp_configured import NamedServer, servers_of
from streaming.tools.mcp_errors import McpUnavailable
from streaming.tools.mcp_servers import McpServers
from streaming.tools.offered import client_tools
from streaming.tools.server_tools import ServerTool, call_server_tool
from streaming.tools.specs import Told, ToolContext, ToolKind, ToolOutcome, ToolSpec

logger = logging.getLogger(__name__)

MAX_TOOLS = 128


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one stream. `caller_runs`: whoever asked runs all calls and asks again, as OpenAI's callers do."""

    tools: Mapping[str, ToolSpec] = field(default_factory=dict)
    servers: Mapping[str, NamedServer] = field(default_factory=dict)
    caller_runs: bool = False

    @property
    def runs_here(self) -> bool:
        """Whether calls are run, or waited for. Where nothing was offered, they are the end of the answer as well."""
        return bool(self.tools) and not self.caller_runs

    def openai(self) -> list[dict[str, Any]] | None:
        """As the node is told of them; None where there are none."""
        return [spec.openai() for spec in self.tools.values()] or None


@dataclass(frozen=True, slots=True)
class ServerState:
    """How an MCP server stands, for people."""

    name: str
    message: str | None
    tools: int


class Toolkit:
    """What a process has to offer tools and to call them. For one event loop."""

    def __init__(
        self,
        mcp: McpServers,
        *,
        server_tools: Mapping[str, ServerTool],
        servers: Sequence[NamedServer],
        allowed: Sequence[str],
        ask_first: Sequence[str] = (),
        limit_s: float,
        max_bytes: int,
    ) -> None:
        self._mcp = mcp
        self._server_tools = server_tools
        self._servers = tuple(servers)
        self._allowed = tuple(allowed)
        self._ask_first = tuple(ask_first)
        self._limit_s = limit_s
        self._max_bytes = max_bytes

    async def __aenter__(self) -> Toolkit:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._mcp.close()

    async def close_idle(self) -> None:
        await self._mcp.close_idle()

    async def toolbox(self, options: Mapping[str, Any], *, caller_runs: bool = False) -> Toolbox:
        """The tools for a stream with these options. What is named in a list and known here runs here; the rest is the client's.

        Raises LiveError: `forbidden` for an MCP server that may not be named, `tool_failed` for one that was named and
        cannot be reached. The operator's own are left out while they are down.
        """
        tools = options.get("tools")
        brought = client_tools(tools) if isinstance(tools, list) else []
        if caller_runs:
            return Toolbox({spec.name: spec for spec in brought}, caller_runs=True)
        servers = self._wanted(tools, options.get("mcp"))
        found, _ = await self._of_servers(servers)
        # What is brought as a list of names takes from the server only what it names.
        known: list[ToolSpec] = [tool.spec for tool in self._server_tools.values()]
        if tools == "auto":
            chosen = [*known, *found]
        else:
            names = {spec.name for spec in brought}
            here = {spec.name: spec for spec in [*found, *known] if spec.name in names}
            chosen = [*(here.get(spec.name, spec) for spec in brought), *(s for s in found if s.name not in names)]
        return Toolbox(self._by_name(chosen), {server.name: server for server in servers})

    async def listing(self) -> tuple[list[ToolSpec], list[ServerState]]:
        """What `tools: "auto"` offers now, and how the operator's MCP servers stand."""
        found, states = await self._of_servers(self._servers)
        return list(self._by_name([*(tool.spec for tool in self._server_tools.values()), *found]).values()), states

    async def call(
        self,
        toolbox: Toolbox,
        spec: ToolSpec,
        args: Mapping[str, Any],
        context: ToolContext,
        tell: Callable[[Told], None],
    ) -> ToolOutcome:
        """What the tool gave, or why it failed; meanwhile `tell` is told how far it says it is.

        Not for tools that the client runs.
        """
        if spec.kind is ToolKind.MCP:
            named = toolbox.servers.get(spec.source)
            assert named is not None  # it was offered from there
            return await self._mcp.call(named, spec, args, limit_s=self._limit_s, max_bytes=self._max_bytes, tell=tell)
        tool = self._server_tools.get(spec.name)
        if tool is None:
            return ToolOutcome.failed(f"There is no tool named {spec.name} any more.")
        context = replace(context, tell=tell)
        return await call_server_tool(tool, args, context, limit_s=self._limit_s, max_bytes=self._max_bytes)

    def _wanted(self, tools: object, mcp: Mapping[str, Any] | None) -> tuple[NamedServer, ...]:
        if mcp is not None and not mcp.get("enabled", True):
            return ()
        if mcp is not None and (urls := mcp.get("servers")):
            return servers_of(urls, self._allowed, self._servers)
        return self._servers if tools is not None or mcp is not None else ()

    async def _of_servers(self, servers: Iterable[NamedServer]) -> tuple[list[ToolSpec], list[ServerState]]:
        servers = tuple(servers)
        lists = await asyncio.gather(*(self._mcp.tools(server) for server in servers), return_exceptions=True)
        found: list[ToolSpec] = []
        states = []
        for server, specs in zip(servers, lists, strict=True):
            if isinstance(specs, McpUnavailable):
                logger.warning("The tools of the MCP server %s are not there: %s", server.name, specs)
                if server.named_by_caller:
                    raise LiveError(ErrorCode.TOOL_FAILED, f"{specs}. Start it, or ask without it.") from specs
                states.append(ServerState(server.name, str(specs), 0))
            elif isinstance(specs, BaseException):
                raise specs
            else:
                found += specs
                states.append(ServerState(server.name, None, len(specs)))
        return found, states

    def _by_name(self, specs: Iterable[ToolSpec]) -> dict[str, ToolSpec]:
        """By name; a name that is taken gets its MCP server's before it."""
        found: dict[str, ToolSpec] = {}
        for spec in specs:
            name = spec.name
            if name in found and spec.source:
                name = f"{spec.source}__{spec.name}"[:64]
            if name in found or len(found) >= MAX_TOOLS:
                continue
            asks = spec.ask_first or any(fnmatchcase(name, pattern) for pattern in self._ask_first)
            found[name] = replace(spec, name=name, ask_first=asks)
        return found
