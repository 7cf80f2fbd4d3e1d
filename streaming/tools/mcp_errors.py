"""How a call to an MCP server goes wrong. Apart from the SDK, which takes its time to load and is loaded when needed."""

from __future__ import annotations


class McpUnavailable(Exception):
    """The server cannot be reached, or the connection broke. The message is for people and names no secret.

    `not_begun`: the call that failed had surely not been made yet.
    """

    def __init__(self, message: str, *, not_begun: bool = False) -> None:
        super().__init__(message)
        self.not_begun = not_begun


class McpRefused(Exception):
    """The server answered, and refused: an unknown tool, or wrong arguments. The message is the server's."""
