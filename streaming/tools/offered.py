"""The tools that a caller brings along, in either shape of the wire. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streaming.tools.specs import ToolKind, ToolSpec


def may_offer(options: Mapping[str, Any]) -> bool:
    """Whether a stream with these options may come to have tools."""
    return bool(options.get("tools") or options.get("mcp"))


def client_tools(tools: Sequence[Mapping[str, Any]]) -> list[ToolSpec]:
    """OpenAI's shape or the seed's {name, description, parameters}, as tools that the caller's client runs."""
    return [_spec(tool.get("function", tool)) for tool in tools]


def _spec(function: Mapping[str, Any]) -> ToolSpec:
    strict = function.get("strict")
    return ToolSpec(
        name=function["name"],
        description=function.get("description") or "",
        parameters=json_schema(function.get("parameters") or {}),
        kind=ToolKind.CLIENT,
        extra={} if strict is None else {"strict": strict},
    )


def json_schema(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON Schema; the short form {name: type} is widened."""
    if parameters.get("type") == "object":
        return dict(parameters)
    properties = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in parameters.items()}
    return {"type": "object", "properties": properties, "required": list(properties)}
