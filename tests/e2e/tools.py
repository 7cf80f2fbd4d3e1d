"""The tools of the server that the browser tests use (TOOL_MODULES)."""

from __future__ import annotations

from streaming.tools import tool


@tool
def lookup(query: str) -> dict[str, str]:
    """Look something up."""
    return {"found": query}


@tool(ask_first=True)
def delete_file(name: str) -> str:
    """Delete a file."""
    return f"{name} is gone"


@tool
def break_down(query: str) -> str:
    """Fail."""
    raise RuntimeError(f"the shelf with {query} is empty")
