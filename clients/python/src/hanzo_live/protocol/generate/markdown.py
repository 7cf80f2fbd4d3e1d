"""`docs/protocol.md`: the prose of `protocol.template.md` with tables made from the models.

What is normative and no table stands in the template, and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from hanzo_live.protocol import SUBPROTOCOL
from hanzo_live.protocol.base import JsonObject, WireModel
from hanzo_live.protocol.closing import CLOSE_KINDS
from hanzo_live.protocol.commands import COMMANDS, Command
from hanzo_live.protocol.errors import ERROR_KINDS
from hanzo_live.protocol.events import EVENTS
from hanzo_live.protocol.generate.schema import ALIASES, REF, definitions
from hanzo_live.protocol.limits import DEFAULT_LIMITS, FLUSH_CLASSES_MS
from hanzo_live.protocol.options import StreamOptions
from hanzo_live.protocol.replies import OKS, REPLIES

_SHAPES = (
    "User",
    "Message",
    "SnapshotState",
    "SnapshotStream",
    "ToolCallState",
    "StreamFailure",
    "Usage",
    "SessionInfo",
    "SessionSettings",
    "SessionChange",
    "MemberInfo",
    "PresenceUser",
    "ConnectedUser",
    "ServerInfo",
    "Limits",
)
_REQUEST_SHAPES = (
    "ChatMessage",
    "OpenAITool",
    "FunctionSpec",
    "ToolChoice",
    "McpOptions",
    "RouteOptions",
    "CacheOptions",
)


def page() -> str:
    """The text of `docs/protocol.md`."""
    template = (files("hanzo_live.protocol.generate") / "protocol.template.md").read_text(encoding="utf-8")
    schemas = definitions()
    filled = {
        "subprotocol": SUBPROTOCOL,
        "flush_classes": ", ".join(map(str, FLUSH_CLASSES_MS[:-1])) + f" or {FLUSH_CLASSES_MS[-1]}",
        "commands": "\n".join(_command(name, model, schemas) for name, model in COMMANDS.items()),
        "replies": "\n".join(_frame("Reply", name, model, schemas, {"type"}) for name, model in REPLIES.items()),
        "stream_options": _fields(schemas["StreamOptions"]),
        "request_shapes": _shapes(_REQUEST_SHAPES, schemas),
        "event_summary": _event_summary(),
        "events": "\n".join(
            _frame("Event", name, model, schemas, _envelope(model.durable)) for name, model in EVENTS.items()
        ),
        "shapes": _shapes(_SHAPES, schemas),
        "states": _table(
            ("name", "values"),
            ((f"`{name}`", _codes(values)) for name, values in ALIASES.items() if name != "ErrorCode"),
        ),
        "close_codes": _table(
            ("code", "name", "reconnect by itself", "`error` before it", "meaning"),
            (
                (
                    str(int(code)),
                    f"`{code.name}`",
                    _yes(kind.reconnect),
                    f"`{kind.error}`" if kind.error else "",
                    kind.meaning,
                )
                for code, kind in CLOSE_KINDS.items()
            ),
        ),
        "error_codes": _table(
            ("code", "HTTP", "retryable", "meaning"),
            (
                (f"`{code}`", str(kind.http_status), _yes(kind.retryable), kind.meaning)
                for code, kind in ERROR_KINDS.items()
            ),
        ),
        **{name: f"{getattr(DEFAULT_LIMITS, name):,}" for name in DEFAULT_LIMITS.__dataclass_fields__},
    }

    def fill(match: re.Match[str]) -> str:
        return filled[match[1]].rstrip("\n")

    return re.sub(r"\{\{(\w+)\}\}", fill, template)


def _command(name: str, model: type[Command], schemas: dict[str, JsonObject]) -> str:
    options = set(StreamOptions.model_fields) if StreamOptions in model.__mro__ else set[str]()
    schema = schemas[model.__name__]
    text = f"### `{name}`\n\n{_words(model)}\n\n{_fields(schema, leave_out={'id', 'type', *options})}"
    if options:
        text += "\nAnd every [stream option](#stream-options).\n"
    answer = OKS.get(name)
    if answer is None:
        return text + f"{_example(model)}\nThe answer is [`{model.answer}`](#reply-{model.answer}).\n"
    carried = _fields(schemas[answer.__name__], leave_out={"id", "type"}, none="")
    text += f"{_example(model)}\n`ok`: {_words(answer)}\n"
    return text + (f"\n{carried}" if carried else "")


def _frame(
    what: str, name: str, model: type[WireModel], schemas: dict[str, JsonObject], leave_out: Iterable[str]
) -> str:
    fields = _fields(schemas[model.__name__], leave_out=leave_out)
    return f"### {what} `{name}`\n\n{_words(model)}\n\n{fields}{_example(model)}"


def _envelope(durable: bool) -> set[str]:
    """What is said once above all events."""
    return {"type", "log", "ts", "prev", *(["seq"] if durable else [])}


def _event_summary() -> str:
    return _table(
        ("type", "durable", "meaning"),
        (
            (
                f"[`{name}`](#event-{name})",
                "yes, terminal" if model.terminal else _yes(model.durable),
                _words(model).split("\n")[0],
            )
            for name, model in EVENTS.items()
        ),
    )


def _shapes(names: Iterable[str], schemas: dict[str, JsonObject]) -> str:
    return "\n".join(f"### {name}\n\n{schemas[name]['description']}\n\n{_fields(schemas[name])}" for name in names)


def _fields(schema: JsonObject, *, leave_out: Iterable[str] = (), none: str = "No fields of its own.\n") -> str:
    required = set(schema.get("required", []))
    rows = [
        (f"`{name}`", _type(field), "yes" if name in required else "", _meaning(field))
        for name, field in schema.get("properties", {}).items()
        if name not in leave_out
    ]
    return _table(("field", "type", "required", "meaning"), rows) if rows else none


def _meaning(field: JsonObject) -> str:
    text = str(field.get("description", ""))
    default = field.get("default")
    return text if default is None or default == [] else f"{text} Default `{json.dumps(default)}`."


def _type(schema: JsonObject) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix(REF)
        return f"[{name}](#{'error-codes' if name == 'ErrorCode' else 'states' if name in ALIASES else name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return _codes(schema["enum"])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[union]))
    kind = schema.get("type")
    if kind == "array":
        bound = _bounds(schema.get("minItems"), schema.get("maxItems"), " entries")
        return f"list of {_type(schema.get('items', {}))}{bound}"
    if kind == "string":
        return "text" + _bounds(schema.get("minLength"), schema.get("maxLength"), " characters")
    if kind in {"integer", "number"}:
        word = "whole number" if kind == "integer" else "number"
        return word + _bounds(schema.get("minimum"), schema.get("maximum"), "")
    return {"boolean": "true or false", "object": "object", "null": "null"}.get(str(kind), "any JSON")


def _bounds(low: float | None, high: float | None, unit: str) -> str:
    largest = 2**53 - 1
    if high is not None and high >= largest:
        high = None
    if low is not None and low <= -largest:
        low = None
    if high is not None and low is not None:
        return f" ({_number(low)} to {_number(high)}{unit})"
    if high is not None:
        return f" (≤ {_number(high)}{unit})"
    return "" if low is None else f" (≥ {_number(low)}{unit})"


def _number(value: float) -> str:
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def _example(model: type[WireModel]) -> str:
    return f"\n```json\n{json.dumps(model.example, ensure_ascii=False)}\n```\n"


def _words(model: type[WireModel]) -> str:
    """The model's docstring as one paragraph for each of its own."""
    paragraphs = re.split(r"\n\s*\n", (model.__doc__ or "").strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _codes(values: Iterable[Any]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
