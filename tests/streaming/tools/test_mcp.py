"""MCP servers over every transport: a real public one, and one that fails in every way."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from streaming.tools.mcp_configured import McpServer, NamedServer
from streaming.tools.mcp_errors import McpUnavailable
from streaming.tools.mcp_servers import FRESH_S, IDLE_S, McpServers
from streaming.tools.mcp_stderr import MAX_LINE, MAX_LINES
from streaming.tools.specs import Told, ToolOutcome, ToolSpec
from tests.streaming.runner.house import until
from tests.streaming.tools.mcp_house import Served


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def call(
    servers: McpServers,
    named: NamedServer,
    tool: str,
    limit_s: float = 10.0,
    tell: Callable[[Told], None] = lambda told: None,
    **args: Any,
) -> ToolOutcome:
    specs = {spec.name: spec for spec in await servers.tools(named)}
    return await servers.call(named, specs[tool], args, limit_s=limit_s, max_bytes=1_000, tell=tell)


async def test_it_lists_and_calls_the_tools_of_a_real_server(time_mcp: NamedServer) -> None:
    async with McpServers() as servers:
        specs = {spec.name: spec for spec in await servers.tools(time_mcp)}
        assert set(specs) == {"get_current_time", "convert_time"}
        assert specs["get_current_time"].repeatable
        assert specs["get_current_time"].parameters["required"] == ["timezone"]
        outcome = await call(
            servers, time_mcp, "convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo"
        )
    assert outcome.error is None
    assert outcome.result["time_difference"] == "+9.0h"


async def test_it_tells_what_a_real_server_refuses(time_mcp: NamedServer) -> None:
    async with McpServers() as servers:
        wrong = await call(servers, time_mcp, "get_current_time", timezone="Atlantis/Capital")
        missing = await call(servers, time_mcp, "get_current_time")
        unknown = ToolSpec("nothing", "", {}, (await servers.tools(time_mcp))[0].kind, source="time")
        refused = await servers.call(time_mcp, unknown, {}, limit_s=10, max_bytes=1_000)
    assert wrong.error is not None
    assert "Atlantis/Capital" in wrong.error
    assert missing.error is not None
    assert "timezone" in missing.error
    assert refused.error is not None
    assert "nothing" in refused.error


async def test_it_finds_the_way_from_a_bare_origin(odd_served: Served) -> None:
    async with McpServers() as servers:
        outcome = await call(servers, NamedServer("odd", McpServer(url=odd_served.origin)), "again")
    assert outcome == ToolOutcome("again")


async def test_it_bounds_and_names_what_goes_wrong(odd_served: Served) -> None:
    odd = NamedServer("odd", McpServer(url=odd_served.url))
    async with McpServers() as servers:
        names = {spec.name for spec in await servers.tools(odd)}
        failed = await call(servers, odd, "fail")
        much = await call(servers, odd, "much")
        late = await call(servers, odd, "wait", limit_s=0.2)
        again = await call(servers, odd, "again")
    assert "no name for a model" not in names
    assert failed.error is not None
    assert "the shelf is empty" in failed.error
    assert len(str(much.result)) < 2_000
    assert "cut here" in str(much.result)
    assert late.error == "The tool took longer than 0.2 seconds and was given up."
    assert again == ToolOutcome("again")


async def test_it_waits_longer_for_a_tool_that_tells_of_progress(odd_served: Served, release: threading.Event) -> None:
    odd = NamedServer("odd", McpServer(url=odd_served.url))
    async with McpServers() as servers:
        await servers.tools(odd)
        told: list[Told] = []
        calling = asyncio.ensure_future(call(servers, odd, "wait_with_progress", limit_s=1.0, tell=told.append))
        done, _ = await asyncio.wait((calling,), timeout=2.5)
        assert not done
        release.set()
        assert await calling == ToolOutcome("at last")
    assert set(told) == {Told(1.0, 3.0, "Layer 1 of 3")}


def test_what_a_tool_tells_is_shown_as_one_line_and_in_numbers() -> None:
    assert Told.of(math.nan, math.inf, "\x1b[2J\n") == Told(0.0, None, "[2J")
    assert Told.of(-1.0, 0.0, " ") == Told(0.0, None, None)
    assert Told.of(2.0, 4.0, "x" * 1_000) == Told(2.0, 4.0, "x" * 199 + "…")


async def test_it_connects_again_to_a_server_that_was_restarted(odd_served: Served) -> None:
    odd = NamedServer("odd", McpServer(url=odd_served.url))
    async with McpServers() as servers:
        assert await call(servers, odd, "again") == ToolOutcome("again")
        odd_served.stop()
        odd_served.start()
        assert await call(servers, odd, "again") == ToolOutcome("again")


async def test_it_says_that_a_server_is_gone_and_finds_it_when_it_is_back(odd_served: Served) -> None:
    odd, clock = NamedServer("odd", McpServer(url=odd_served.url)), Clock()
    async with McpServers(connect_within=5, clock=clock) as servers:
        specs = {spec.name: spec for spec in await servers.tools(odd)}
        odd_served.stop()
        gone = await servers.call(odd, specs["again"], {}, limit_s=5, max_bytes=1_000)
        assert gone.error is not None
        clock.now += FRESH_S + 1
        with pytest.raises(McpUnavailable, match="cannot be reached"):
            await servers.tools(odd)
        odd_served.start()
        assert await call(servers, odd, "again") == ToolOutcome("again")


async def test_it_does_not_repeat_a_call_that_may_have_done_its_work(
    odd_served: Served, called: list[str], release: threading.Event
) -> None:
    odd = NamedServer("odd", McpServer(url=odd_served.url))
    async with McpServers(connect_within=5) as servers:
        await servers.tools(odd)
        calling = asyncio.ensure_future(call(servers, odd, "wait"))
        await asyncio.to_thread(until, lambda: called)
        await asyncio.to_thread(odd_served.stop)
        outcome = await calling
    assert outcome.error is not None
    assert called == ["wait"]


LOUD = """
import sys
from mcp.server.mcpserver import MCPServer
server = MCPServer("loud", log_level="CRITICAL")
print("\x1b[31mstarted with key", sys.argv[1], file=sys.stderr)
print("y" * 2_000, file=sys.stderr, flush=True)
for _ in range(3_000):
    print("again", file=sys.stderr)
@server.tool()
def shout() -> str:
    return "done"
server.run()
"""


async def test_what_a_process_says_on_stderr_is_logged_in_bounded_lines_without_its_secrets(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    env = {"KEY": SecretStr("a-very-secret-key")}
    server = McpServer(command=sys.executable, args=("-c", LOUD, "a-very-secret-key"), env=env)
    with caplog.at_level(logging.DEBUG, "streaming.tools.mcp_stderr"):
        async with McpServers(connect_within=15) as servers:
            assert await call(servers, NamedServer("loud", server), "shout") == ToolOutcome("done")
        await asyncio.to_thread(until, lambda: "is not logged" in caplog.messages[-1])
    said = [record.getMessage() for record in caplog.records if record.name == "streaming.tools.mcp_stderr"]
    assert said[0] == f"The MCP server {sys.executable} says: [31mstarted with key …"
    assert len(said) == MAX_LINES + 1
    assert max(map(len, said)) < MAX_LINE + 100
    assert {record.levelno for record in caplog.records if "says:" in record.getMessage()} == {logging.DEBUG}
    assert capfd.readouterr().err == ""


async def test_it_closes_what_nobody_uses(time_mcp: NamedServer) -> None:
    clock = Clock()
    async with McpServers(clock=clock) as servers:
        await servers.tools(time_mcp)
        kept = next(iter(servers._kept.values()))
        await servers.close_idle()
        assert kept.connection is not None
        assert not kept.connection.broken
        clock.now += IDLE_S + 1
        await servers.close_idle()
        assert kept.connection.broken
        assert await servers.tools(time_mcp)


async def test_it_is_quick_to_say_that_nothing_is_there() -> None:
    async with McpServers() as servers:
        with pytest.raises(McpUnavailable, match="http://127.0.0.1:9/mcp cannot be reached"):
            await servers.tools(NamedServer("none", McpServer(url="http://127.0.0.1:9/mcp?key=secret")))
        with pytest.raises(McpUnavailable, match="cannot be reached"):
            await servers.tools(NamedServer("none", McpServer(command="/nowhere/at-all")))
