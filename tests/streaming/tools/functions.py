"""An operator's tools, as TOOL_MODULES names them, for the tests."""

from __future__ import annotations

import secrets
import threading
from typing import Annotated, Any

from pydantic import Field

from streaming.tools import ToolContext, tool

blocked = threading.Event()


@tool
def add(a: int, b: Annotated[int, Field(description="What is added.")] = 1) -> int:
    """Add two numbers."""
    return a + b


@tool(timeout=0.5)
def climb(context: ToolContext) -> str:
    """Tell of three steps, and take longer than silence may."""
    for step in range(1, 4):
        context.progress(step, 3, f"Step {step}")
        blocked.wait(0.3)
    return "on top"


@tool(name="whose", repeatable=True)
async def whose_is_it(context: ToolContext) -> dict[str, Any]:
    """Say for whom this runs."""
    return {"user": context.user}


@tool
def draw_lots(people: int) -> str:
    """Give numbers that nobody gets a second time."""
    return " ".join(secrets.token_hex(4) for _ in range(60))


@tool(ask_first=True)
def delete_file(name: str) -> str:
    """Delete a file."""
    return f"{name} is gone"


@tool
def break_down(query: str) -> str:
    """Fail."""
    raise RuntimeError(f"no {query} today")


@tool(timeout=0.2)
def hang() -> None:
    """Do not come back until the tests let it."""
    blocked.wait()


@tool
def shout(word: str) -> object:
    """Give something that is no JSON."""
    return object() if word == "object" else word * 1_000


# What was called, and what lets `work` and `look` end.
done: list[str] = []
go_on = threading.Event()


@tool
def work(job: str) -> str:
    """Do something that is not to be done twice."""
    done.append(f"work {job}")
    go_on.wait(20)
    return f"{job} is done"


@tool(repeatable=True)
def look(thing: str) -> str:
    """Look at something; as often as one likes."""
    done.append(f"look {thing}")
    go_on.wait(20)
    return f"{thing} is there"
