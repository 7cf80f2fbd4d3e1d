"""JSON Schema (2020-12) of every command, reply, event and shared shape, under `$defs`.

The other generators read these definitions rather than the models, so that all outputs agree.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic.json_schema import models_json_schema

from hanzo_live.protocol import shapes
from hanzo_live.protocol.base import JsonObject, WireModel
from hanzo_live.protocol.closing import CloseCode
from hanzo_live.protocol.commands import COMMANDS
from hanzo_live.protocol.errors import ErrorCode
from hanzo_live.protocol.events import EVENTS
from hanzo_live.protocol.options import MessageRequest, StreamOptions, StreamRequest
from hanzo_live.protocol.replies import OKS, REPLIES

REF = "#/$defs/"

ALIASES: dict[str, tuple[str, ...]] = {
    "ErrorCode": tuple(code.value for code in ErrorCode),
    "Role": get_args(shapes.Role),
    "Overlap": get_args(shapes.Overlap),
    "StreamStatus": get_args(shapes.StreamStatus),
    "MessageStatus": get_args(shapes.MessageStatus),
    "MessageRole": get_args(shapes.MessageRole),
    "FinishReason": get_args(shapes.FinishReason),
    "ToolStatus": get_args(shapes.ToolStatus),
    "Phase": get_args(shapes.Phase),
    "PresenceStatus": get_args(shapes.PresenceStatus),
}
"""The states that have a name of their own in every language."""

_BODIES: tuple[type[WireModel], ...] = (StreamOptions, StreamRequest, MessageRequest)


def definitions() -> dict[str, JsonObject]:
    """Every definition by name: the shared shapes first, then commands, replies, events and the unions of them."""
    models: list[type[WireModel]] = [*_BODIES, *COMMANDS.values(), *OKS.values(), *REPLIES.values(), *EVENTS.values()]
    _, document = models_json_schema([(model, "validation") for model in models], ref_template=REF + "{model}")
    made: dict[str, JsonObject] = document["$defs"]
    frames = [model.__name__ for model in models]
    shared = sorted(set(made) - set(frames))
    named: dict[str, JsonObject] = {name: {"type": "string", "enum": list(values)} for name, values in ALIASES.items()}
    named["CloseCode"] = {"type": "integer", "enum": [int(code) for code in CloseCode]}
    for name in [*shared, *frames]:
        named[name] = _tidy(made[name])
    named["Command"] = {"oneOf": refs(COMMANDS.values())}
    named["Ok"] = {"anyOf": refs(OKS.values())}
    named["Reply"] = {"anyOf": [*refs(REPLIES.values()), {"$ref": REF + "Ok"}]}
    named["LogEvent"] = {"oneOf": refs(model for model in EVENTS.values() if "log" in model.model_fields)}
    named["StreamEvent"] = {
        "oneOf": refs(model for model in EVENTS.values() if model.durable and "stream" in model.model_fields)
    }
    named["LiveEvent"] = {"anyOf": [{"$ref": REF + "LogEvent"}, {"$ref": REF + "GoawayEvent"}]}
    named["ServerFrame"] = {"anyOf": [{"$ref": REF + "LiveEvent"}, {"$ref": REF + "Reply"}]}
    return named


def document() -> JsonObject:
    """The whole schema. Validate a frame against one definition: `{"$ref": "…#/$defs/TokenEvent"}`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:hanzo:live:v1",
        "title": "hanzo.live.v1",
        "description": "Generated from hanzo_live.protocol. Readers ignore fields that they do not know.",
        "anyOf": [{"$ref": REF + "Command"}, {"$ref": REF + "ServerFrame"}],
        "$defs": definitions(),
    }


def refs(models: Any) -> list[JsonObject]:
    """A reference to each model's definition."""
    return [{"$ref": REF + model.__name__} for model in models]


def _tidy(schema: Any) -> Any:
    """Without pydantic's titles and null defaults, with constants required and named states by reference."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    for name, values in ALIASES.items():
        if schema.get("enum") == list(values):
            kept = {key: schema[key] for key in ("description", "default") if schema.get(key) is not None}
            return {"$ref": REF + name, **kept}
    tidy: JsonObject = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and (value is None or "const" in schema)):
            continue
        if key == "properties":
            tidy[key] = {name: _tidy(field) for name, field in value.items()}
        elif key in {"const", "enum", "required", "default", "description", "pattern"}:
            tidy[key] = value
        else:
            tidy[key] = _tidy(value)
    constants = [name for name, field in schema.get("properties", {}).items() if "const" in field]
    if schema.get("type") == "object" and "properties" in schema:
        wanted = {*constants, *schema.get("required", [])} - _optional_constants(schema)
        tidy["required"] = [name for name in schema["properties"] if name in wanted]
        if not tidy["required"]:
            del tidy["required"]
    return tidy


def _optional_constants(schema: JsonObject) -> set[str]:
    """A constant that is no discriminator (`cache.backend`) stays optional."""
    return {
        name
        for name, field in schema["properties"].items()
        if "const" in field and name != "type" and name not in schema.get("required", [])
    }
