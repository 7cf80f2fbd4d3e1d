"""The tools that a model may call: an operator's functions, those of MCP servers, and those that a client runs.

Here they are known, offered and called. When that happens in an answer, and who has to allow it, is the runner's.
"""

from streaming.tools.server_tools import tool
from streaming.tools.specs import ToolContext, ToolKind, ToolOutcome, ToolSpec

__all__ = ["ToolContext", "ToolKind", "ToolOutcome", "ToolSpec", "tool"]
