"""Which tools a stream gets, and who runs which."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.tools import ToolContext, ToolKind, ToolOutcome
from streaming.tools.mcp_configured import McpServer, NamedServer
from streaming.tools.mcp_servers import McpServers
from streaming.tools.server_tools import server_tools
from streaming.tools.specs import Told
from streaming.tools.toolbox import Toolkit
from tests.streaming.tools import functions

SEARCH = {"name": "search_web", "description": "Search", "parameters": {"query": "string"}}
DOWN = NamedServer("down", McpServer(url="http://127.0.0.1:9/mcp"))


@asynccontextmanager
async def toolkit(*servers: NamedServer, **rest: Any) -> AsyncIterator[Toolkit]:
    async with McpServers() as mcp:
        yield Toolkit(
            mcp,
            server_tools=server_tools([functions.__name__]),
            servers=servers,
            allowed=("http://127.0.0.1:9",),
            limit_s=5,
            max_bytes=10_000,
            **rest,
        )


def unheard(told: Told) -> None:
    """How far a tool is interests nobody here."""


async def test_auto_offers_what_the_server_and_its_mcp_servers_have(time_mcp: NamedServer) -> None:
    async with toolkit(time_mcp, DOWN, ask_first=("convert_*",)) as kit:
        box = await kit.toolbox({"tools": "auto"})
        assert {"add", "delete_file", "get_current_time", "convert_time"} <= set(box.tools)
        assert [name for name, spec in box.tools.items() if spec.ask_first] == ["delete_file", "convert_time"]
        now, context = box.tools["get_current_time"], ToolContext("s", None, None)
        outcome = await kit.call(box, now, {"timezone": "UTC"}, context, unheard)
        listed, states = await kit.listing()
    assert outcome.result["timezone"] == "UTC"
    assert {spec.name for spec in listed} == set(box.tools)
    assert [(state.name, state.tools) for state in states] == [("time", 2), ("down", 0)]
    assert states[1].message is not None


async def test_what_the_server_does_not_know_is_the_clients() -> None:
    async with toolkit() as kit:
        openai = {"type": "function", "function": {**SEARCH, "name": "search_2", "strict": True}}
        box = await kit.toolbox({"tools": [SEARCH, openai, {"name": "add"}]})
    kinds = {name: spec.kind for name, spec in box.tools.items()}
    assert kinds == {"search_web": ToolKind.CLIENT, "search_2": ToolKind.CLIENT, "add": ToolKind.SERVER}
    sent = {tool["function"]["name"]: tool["function"] for tool in box.openai() or []}
    assert sent["search_web"]["parameters"]["properties"] == {"query": {"type": "string"}}
    assert sent["search_2"]["strict"] is True
    assert sent["add"]["description"] == "Add two numbers."


async def test_a_caller_that_runs_its_tools_gets_no_others() -> None:
    async with toolkit() as kit:
        box = await kit.toolbox({"tools": [{"name": "add"}]}, caller_runs=True)
    assert box.tools["add"].kind is ToolKind.CLIENT
    assert box.caller_runs


@pytest.mark.parametrize(
    "options", [{}, {"tools": [], "mcp": None}, {"tools": "auto", "mcp": {"enabled": False, "servers": []}}]
)
async def test_nothing_is_asked_of_mcp_servers_that_are_not_wanted(options: dict[str, Any]) -> None:
    async with toolkit(DOWN) as kit:
        box = await kit.toolbox(options)
    assert not [spec for spec in box.tools.values() if spec.kind is ToolKind.MCP]


async def test_a_server_that_was_named_must_be_there_and_allowed() -> None:
    async with toolkit() as kit:
        with pytest.raises(LiveError) as down:
            await kit.toolbox({"mcp": {"servers": ["http://127.0.0.1:9/mcp"]}})
        with pytest.raises(LiveError) as refused:
            await kit.toolbox({"mcp": {"servers": ["http://127.0.0.1:10/mcp"]}})
    assert (down.value.code, refused.value.code) == (ErrorCode.TOOL_FAILED, ErrorCode.FORBIDDEN)


async def test_two_tools_of_one_name_are_told_apart(time_mcp: NamedServer) -> None:
    other: Callable[[str], NamedServer] = lambda name: NamedServer(name, time_mcp.server)  # noqa: E731
    async with toolkit(time_mcp, other("clock")) as kit:
        box = await kit.toolbox({"mcp": {"enabled": True}})
        spec = box.tools["clock__get_current_time"]
        outcome = await kit.call(box, spec, {"timezone": "UTC"}, ToolContext("s", None, None), unheard)
    assert outcome == ToolOutcome(outcome.result)
    assert outcome.error is None
