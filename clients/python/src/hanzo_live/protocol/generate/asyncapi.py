"""The AsyncAPI 3 document of the socket: what the server receives, answers and sends.

As AsyncAPI has it, the operations are the server's: it receives commands and sends events.
"""

from __future__ import annotations

from typing import Any

from hanzo_live.protocol import SUBPROTOCOL
from hanzo_live.protocol.base import JsonObject, WireModel
from hanzo_live.protocol.commands import COMMANDS
from hanzo_live.protocol.events import EVENTS
from hanzo_live.protocol.generate.schema import REF, definitions
from hanzo_live.protocol.replies import OKS, REPLIES

_SCHEMAS = "#/components/schemas/"
_CHANNEL = "#/channels/live"


def document() -> JsonObject:
    """The document as JSON, which is YAML as well."""
    messages: dict[str, JsonObject] = {}
    for name, model in COMMANDS.items():
        messages[f"command.{name}"] = _message(name, model)
    for name, answer in OKS.items():
        messages[f"reply.ok.{name}"] = _message("ok", answer)
    for name, other in REPLIES.items():
        messages[f"reply.{name}"] = _message(name, other)
    for name, event in EVENTS.items():
        extra = {"x-durable": event.durable, "x-terminal": event.terminal}
        messages[f"event.{name}"] = {**_message(name, event), **extra}
    operations: dict[str, JsonObject] = {}
    for name, model in COMMANDS.items():
        reply = f"reply.ok.{name}" if name in OKS else f"reply.{model.answer}"
        operations[name] = {
            "action": "receive",
            "channel": {"$ref": _CHANNEL},
            "summary": _summary(model),
            "messages": [_in_channel(f"command.{name}")],
            "reply": {"channel": {"$ref": _CHANNEL}, "messages": [_in_channel(reply), _in_channel("reply.error")]},
        }
    operations["events"] = {
        "action": "send",
        "channel": {"$ref": _CHANNEL},
        "summary": "What happens in the logs that the socket has subscribed to.",
        "messages": [_in_channel(f"event.{name}") for name in EVENTS],
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hanzo Live",
            "version": "1.0.0",
            "description": f"Subprotocol `{SUBPROTOCOL}`: one JSON object in each text frame. See protocol.md.",
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "127.0.0.1:3001", "protocol": "ws", "description": "hanzo-live serve"}},
        "channels": {
            "live": {
                "address": "/v1/live",
                "title": "The socket",
                "messages": {name: {"$ref": f"#/components/messages/{_pointer(name)}"} for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": operations,
        "components": {"messages": messages, "schemas": _local(definitions())},
    }


def _message(name: str, model: type[WireModel]) -> JsonObject:
    return {
        "name": name,
        "title": model.__name__,
        "summary": _summary(model),
        "payload": {"$ref": _SCHEMAS + model.__name__},
        "examples": [{"payload": model.example}],
    }


def _summary(model: type[WireModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _in_channel(name: str) -> JsonObject:
    return {"$ref": f"{_CHANNEL}/messages/{_pointer(name)}"}


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _local(schema: Any) -> Any:
    """The same schema with its references pointing into this document."""
    if isinstance(schema, list):
        return [_local(each) for each in schema]
    if isinstance(schema, dict):
        return {
            key: _SCHEMAS + value.removeprefix(REF) if key == "$ref" and isinstance(value, str) else _local(value)
            for key, value in schema.items()
        }
    return schema
