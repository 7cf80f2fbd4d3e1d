"""An MCP server that the browser tests use (MCP_SERVERS), on standard input and output."""

from __future__ import annotations

import anyio
from mcp.server.mcpserver import Context, MCPServer

server: MCPServer = MCPServer("digging")


@server.tool()
async def dig(file: str, ctx: Context) -> str:
    """Dig until there is such a file."""
    while not await anyio.Path(file).exists():
        await ctx.report_progress(1, 4, "Layer 1 of 4")
        await anyio.sleep(0.05)
    return "a coin"


if __name__ == "__main__":
    server.run()
