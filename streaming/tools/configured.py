"""The tools that the operator configured, for workers and for the list of tools."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from streaming.tools.mcp_configured import configured_servers, require_allowed
from streaming.tools.mcp_servers import McpServers
from streaming.tools.server_tools import server_tools
from streaming.tools.toolbox import Toolkit


def toolkit() -> Toolkit:
    """For one event loop; to be used as `async with`. Raises ValueError or ImportError for settings that cannot be used."""
    return Toolkit(
        McpServers(),
        server_tools=server_tools(settings.TOOL_MODULES),
        servers=configured_servers(settings.MCP_SERVERS),
        allowed=settings.MCP_ALLOW,
        ask_first=settings.TOOLS_ASK_FIRST,
        limit_s=settings.TOOL_TIMEOUT,
        max_bytes=settings.TOOL_MAX_RESULT_BYTES,
    )


def require_mcp_servers(urls: Iterable[str]) -> None:
    """Raises LiveError `forbidden` for an MCP server that a client may not name."""
    require_allowed(urls, settings.MCP_ALLOW, configured_servers(settings.MCP_SERVERS))
