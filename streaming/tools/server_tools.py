"""Server tools: Python functions that an operator registers by a decorator, in modules that TOOL_MODULES names.

    from streaming.tools import tool

    @tool
    def add(a: int, b: int) -> int:
        "Add two numbers."
        return a + b

The JSON Schema comes from the annotations, the description from the docstring. A plain function runs in a thread; an
`async def` on the worker's loop, where it must not block.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar, overload

from django.db import close_old_connections
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import PydanticSerializationError, to_jsonable_python

from hanzo_live.protocol.parsing import refusal
from streaming.tools.bounds import bounded
from streaming.tools.signs_of_life import while_it_tells
from streaming.tools.specs import Told, ToolContext, ToolKind, ToolOutcome, ToolSpec

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
# A function that never comes back keeps its thread: then calls wait, and fail by their time limit.
THREADS = 32


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A registered function. `timeout` in seconds; None: the operator's TOOL_TIMEOUT."""

    spec: ToolSpec
    function: Callable[..., Any]
    arguments: type[BaseModel]
    context: str | None
    timeout: float | None


_registered: dict[str, ServerTool] = {}


@overload
def tool(function: F, /) -> F: ...
@overload
def tool(
    *,
    name: str = ...,
    description: str = ...,
    ask_first: bool = ...,
    repeatable: bool = ...,
    timeout: float | None = ...,
) -> Callable[[F], F]: ...
def tool(
    function: F | None = None,
    /,
    *,
    name: str = "",
    description: str = "",
    ask_first: bool = False,
    repeatable: bool = False,
    timeout: float | None = None,
) -> F | Callable[[F], F]:
    """Register a function as a tool. With `ask_first` a person has to approve each call.

    Raises ValueError for a name that no model can call, or that another function has.
    """

    def register(function: F) -> F:
        made = _tool(function, name or function.__name__, description, ask_first, repeatable, timeout)
        known = _registered.get(made.spec.name)
        if known is not None and _place(known.function) != _place(function):
            raise ValueError(f"There are two tools named {made.spec.name}: give one another name.")
        _registered[made.spec.name] = made
        return function

    return register if function is None else register(function)


def server_tools(modules: Iterable[str]) -> dict[str, ServerTool]:
    """The tools that these modules register, by name; loaded once.

    Raises ImportError for a module that cannot be loaded.
    """
    modules = tuple(modules)
    _load(modules)
    within = tuple(f"{module}." for module in modules)
    return {
        name: tool
        for name, tool in _registered.items()
        if tool.function.__module__ in modules or f"{tool.function.__module__}.".startswith(within)
    }


@cache
def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # an operator's module may fail in any way when it is imported
            raise ImportError(f"TOOL_MODULES names {module}, which cannot be loaded: {error}") from error


async def call_server_tool(
    tool: ServerTool, args: Mapping[str, Any], context: ToolContext, *, limit_s: float, max_bytes: int
) -> ToolOutcome:
    """What the function gave. It never raises for what the function does: that is told as the outcome's error.

    `limit_s` is how long it may be silent; the progress that it tells extends that, up to twenty times.
    """
    try:
        checked = tool.arguments.model_validate(dict(args))
    except ValidationError as error:
        return ToolOutcome.failed(f"The arguments are wrong: {refusal(error, dict(args)).message}")
    given = {name: getattr(checked, name) for name in type(checked).model_fields}
    limit = tool.timeout or limit_s
    loop = asyncio.get_running_loop()

    async def run(told: Callable[[Told], None]) -> Any:
        def heard(what: Told) -> None:
            loop.call_soon_threadsafe(told, what)

        if tool.context is not None:
            given[tool.context] = replace(context, tell=heard)
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**given)
        return await loop.run_in_executor(_threads(), _in_thread, tool.function, given)

    try:
        value = await while_it_tells(run, limit_s=limit, tell=context.tell)
        return bounded(to_jsonable_python(value), max_bytes)
    except TimeoutError:
        return ToolOutcome.failed(f"The tool took longer than {limit:g} seconds and was given up.")
    except PydanticSerializationError:
        return ToolOutcome.failed("The tool gave something that is no JSON.")
    except Exception as error:  # an operator's function may raise anything; the model is told, and the log
        logger.warning("The tool %s failed: %s: %s", tool.spec.name, type(error).__name__, error)
        return ToolOutcome.failed(f"The tool failed: {str(error) or type(error).__name__}")


def _in_thread(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    close_old_connections()
    try:
        return function(**given)
    finally:
        close_old_connections()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="tool")


def _tool(
    function: Callable[..., Any], name: str, description: str, ask_first: bool, repeatable: bool, timeout: float | None
) -> ServerTool:
    if not NAME.match(name):
        raise ValueError(f"{name!r} is no name for a tool: use letters, digits, `_` and `-`, at most 64 of them.")
    hints = typing.get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    context = None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ValueError(f"The tool {name} takes {parameter}, which no model can fill: name each parameter.")
        kind = hints.get(parameter.name, Any)
        if kind is ToolContext:
            context = parameter.name
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (kind, default)
    arguments: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
    spec = ToolSpec(
        name=name,
        description=description or inspect.getdoc(function) or "",
        parameters=_schema(arguments),
        kind=ToolKind.SERVER,
        ask_first=ask_first,
        repeatable=repeatable,
    )
    return ServerTool(spec, function, arguments, context, timeout)


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    schema = arguments.model_json_schema()
    schema.pop("title", None)
    for about in schema.get("properties", {}).values():
        about.pop("title", None)
    return {"type": "object", "properties": {}, **schema}


def _place(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__
