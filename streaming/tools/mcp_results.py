"""From what MCP servers say to what models and people are told. Pure."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from mcp_types import (
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)

from hanzo_live.protocol import check_json
from streaming.tools.bounds import bounded, cut
from streaming.tools.mcp_configured import NamedServer
from streaming.tools.specs import MAX_ERROR, ToolKind, ToolOutcome, ToolSpec

logger = logging.getLogger(__name__)

CALLABLE = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
MAX_TOOLS = 128
MAX_DESCRIPTION = 4_096
MAX_SCHEMA_BYTES = 65_536


def specs_of(named: NamedServer, tools: Iterable[Tool]) -> list[ToolSpec]:
    """The server's tools that can be offered. One whose name or parameters no model can use is left out, and logged."""
    specs = []
    for tool in tools:
        wanted = named.server.tools
        if wanted is not None and tool.name not in wanted:
            continue
        try:
            specs.append(_spec(named, tool))
        except ValueError as error:
            logger.warning("A tool of the MCP server %s is left out: it %s.", named.name, error)
    return specs[:MAX_TOOLS]


def _spec(named: NamedServer, tool: Tool) -> ToolSpec:
    if not CALLABLE.match(tool.name):
        raise ValueError("has a name that no model can call")
    check_json(tool.input_schema, max_bytes=MAX_SCHEMA_BYTES)
    hints = tool.annotations
    return ToolSpec(
        name=tool.name,
        description=(tool.description or "")[:MAX_DESCRIPTION],
        parameters={"type": "object", "properties": {}, **tool.input_schema},
        kind=ToolKind.MCP,
        source=named.name,
        original=tool.name,
        ask_first=named.server.asks_first(tool.name),
        repeatable=hints is not None and (hints.read_only_hint is True or hints.idempotent_hint is True),
    )


def outcome_of(result: CallToolResult, max_bytes: int) -> ToolOutcome:
    """The structured result where there is one, else the text; what is neither is named and left out."""
    if result.is_error:
        words = "\n".join(_text(block) for block in result.content) or "The tool failed and did not say why."
        return ToolOutcome.failed(cut(words, 4 * MAX_ERROR))
    value: Any = result.structured_content
    if isinstance(value, dict) and value.keys() == {"result"}:
        value = value["result"]  # SDKs put what is no object into one
    if value is None:
        value = "\n".join(_text(block) for block in result.content)
    return bounded(value, max_bytes)


def _text(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case EmbeddedResource(resource=TextResourceContents() as resource):
            return resource.text
        case ResourceLink():
            return f"[{block.name}: {block.uri}]"
        case _:
            return f"[{block.type}, which is not shown here]"
