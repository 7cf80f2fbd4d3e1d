"""From what was asked of a stream to what is asked of the node. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streaming.node import ChatRequest
from streaming.runner.lifecycle import Job
from streaming.runner.prompt import build_prompt
from streaming.runner.routing import Route

# Passed on as they are.
PASSED_ON = ("temperature", "top_p", "stop", "seed", "tool_choice")


def chat_request(job: Job, route: Route, *, so_far: str = "", written: int = 0) -> ChatRequest:
    """The request for `job`. With `so_far`, a text of `written` tokens, the node is to go on after it."""
    options = job.stream.request["options"]
    limit = options.get("max_tokens")
    return ChatRequest(
        model=route.model,
        messages=messages_of(job, route, limit),
        max_tokens=limit and max(1, limit - written),
        tools=openai_tools(options.get("tools")),
        continue_text=so_far,
        **{name: options[name] for name in PASSED_ON if name in options},
    )


def messages_of(job: Job, route: Route, max_tokens: int | None) -> Sequence[Mapping[str, Any]]:
    """A stand-alone stream brings its messages along; in a session they are what was said."""
    if (messages := job.stream.request.get("messages")) is not None:
        return list(messages)
    return build_prompt(job.system, job.said, context=route.context, max_tokens=max_tokens, complete=job.complete)


def openai_tools(tools: str | list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Tools in OpenAI's shape; `auto` names none of its own. The seed's short parameters become JSON Schema."""
    if not tools or isinstance(tools, str):
        return None
    return [{"type": "function", "function": _function(tool.get("function", tool))} for tool in tools]


def _function(spec: dict[str, Any]) -> dict[str, Any]:
    parameters = spec.get("parameters") or {}
    if parameters.get("type") != "object":  # the short form {name: type}
        properties = {name: {"type": kind} if isinstance(kind, str) else kind for name, kind in parameters.items()}
        parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {**{name: value for name, value in spec.items() if value is not None}, "parameters": parameters}
