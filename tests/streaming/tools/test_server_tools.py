"""An operator's functions as tools: what a model is told of them, and what becomes of what they do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from streaming.tools import ToolContext, ToolOutcome, tool
from streaming.tools.server_tools import ServerTool, call_server_tool, server_tools
from streaming.tools.specs import Told
from tests.streaming.tools import functions

MODULE = functions.__name__
CONTEXT = ToolContext("s", None, "olga")


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    functions.blocked.clear()
    yield
    functions.blocked.set()


@pytest.fixture
def tools() -> dict[str, ServerTool]:
    return server_tools([MODULE])


async def call(tool: ServerTool, **args: Any) -> ToolOutcome:
    return await call_server_tool(tool, args, CONTEXT, limit_s=5, max_bytes=2_000)


def test_it_makes_the_schema_from_the_annotations(tools: dict[str, ServerTool]) -> None:
    spec = tools["add"].spec
    assert spec.description == "Add two numbers."
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "default": 1, "description": "What is added."},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert tools["whose"].spec.parameters["properties"] == {}
    assert tools["delete_file"].spec.ask_first


async def test_it_calls_plain_and_async_functions(tools: dict[str, ServerTool]) -> None:
    assert await call(tools["add"], a=2, b=3) == ToolOutcome(5)
    assert await call(tools["add"], a=2) == ToolOutcome(3)
    assert await call(tools["whose"]) == ToolOutcome({"user": "olga"})


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("add", {"a": "many"}, "The arguments are wrong: `a` "),
        ("add", {}, "The arguments are wrong: `a` is missing."),
        ("whose", {"context": {"user": "otto"}}, "The arguments are wrong"),
        ("break_down", {"query": "bread"}, "The tool failed: no bread today"),
        ("hang", {}, "The tool took longer than 0.2 seconds and was given up."),
        ("shout", {"word": "object"}, "The tool gave something that is no JSON."),
    ],
)
async def test_it_tells_in_words_what_went_wrong(
    tools: dict[str, ServerTool], name: str, args: dict[str, Any], words: str
) -> None:
    outcome = await call(tools[name], **args)
    assert outcome.error is not None
    assert outcome.error.startswith(words)


async def test_it_passes_on_what_a_function_tells_and_waits_longer_for_it(tools: dict[str, ServerTool]) -> None:
    told: list[Told] = []
    context = replace(CONTEXT, tell=told.append)
    outcome = await call_server_tool(tools["climb"], {}, context, limit_s=5, max_bytes=2_000)
    assert outcome == ToolOutcome("on top")
    assert told == [Told(1, 3, "Step 1"), Told(2, 3, "Step 2"), Told(3, 3, "Step 3")]


async def test_it_cuts_what_is_too_long_and_says_so(tools: dict[str, ServerTool]) -> None:
    outcome = await call(tools["shout"], word="ä")
    assert outcome == ToolOutcome("ä" * 1_000)
    outcome = await call(tools["shout"], word="äö")
    assert str(outcome.result).endswith("… [cut here: the tool gave more than 2000 bytes]")


def test_it_refuses_functions_that_no_model_can_call() -> None:
    with pytest.raises(ValueError, match="no name for a tool"):
        tool(name="two words")(functions.add)
    with pytest.raises(ValueError, match="name each parameter"):

        @tool
        def anything(*args: str) -> None:
            pass

    with pytest.raises(ValueError, match="two tools named add"):

        @tool(name="add")
        def other() -> None:
            pass


def test_it_names_a_module_that_cannot_be_loaded() -> None:
    with pytest.raises(ImportError, match="TOOL_MODULES names nowhere.at_all"):
        server_tools(["nowhere.at_all"])
