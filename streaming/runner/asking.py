"""From what was asked of a stream to what is asked of the node. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streaming.node import ChatRequest
from streaming.runner.lifecycle import Job
from streaming.runner.prompt import build_prompt
from streaming.runner.routing import Route
from streaming.tools.toolbox import Toolbox

# Passed on as they are.
PASSED_ON = ("temperature", "top_p", "stop", "seed", "tool_choice")


def chat_request(
    job: Job,
    route: Route,
    toolbox: Toolbox,
    *,
    rounds: Sequence[Mapping[str, Any]] = (),
    last_round: bool = False,
    so_far: str = "",
    written: int = 0,
) -> ChatRequest:
    """The request for `job`. With `so_far`, a text of `written` tokens, the node is to go on after it.

    `rounds` are the messages of the tools it has used; in the `last_round` it may use no more.
    """
    options = job.stream.request["options"]
    limit = options.get("max_tokens")
    tools = toolbox.openai()
    passed_on = {name: options[name] for name in PASSED_ON if name in options}
    if rounds and passed_on.get("tool_choice") != "none":
        passed_on.pop("tool_choice", None)  # what had to be called was called
    if tools and last_round:
        passed_on["tool_choice"] = "none"
    return ChatRequest(
        model=route.model,
        messages=[*messages_of(job, route, limit, with_tools=bool(tools)), *rounds],
        max_tokens=limit and max(1, limit - written),
        tools=tools,
        continue_text=so_far,
        id=str(job.stream.pk),
        **passed_on,
    )


def messages_of(job: Job, route: Route, max_tokens: int | None, *, with_tools: bool) -> Sequence[Mapping[str, Any]]:
    """A stand-alone stream brings its messages along; in a session they are what was said."""
    if (messages := job.stream.request.get("messages")) is not None:
        return list(messages)
    return build_prompt(
        job.system,
        job.said,
        context=route.context,
        max_tokens=max_tokens,
        complete=job.complete,
        with_tools=with_tools,
        with_thoughts=route.wants_thoughts,
    )
