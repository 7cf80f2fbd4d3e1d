"""Holding what the server sends to the contract: for tests and clients, not for the hot path.

`exact` refuses fields that the contract does not know, which a reader on the wire would ignore.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from hanzo_live.protocol.base import WireModel
from hanzo_live.protocol.events import EVENTS, AnyEvent
from hanzo_live.protocol.replies import OKS, REPLIES, Reply

ModelT = TypeVar("ModelT", bound=WireModel)


def validate_event(event: dict[str, Any], *, exact: bool = False) -> AnyEvent:
    """The event as a model. Raises ValueError (pydantic's, where a field is wrong), KeyError for an unknown type."""
    return cast(AnyEvent, _validate(EVENTS[event["type"]], event, exact=exact))


def validate_reply(reply: dict[str, Any], *, command: str | None = None, exact: bool = False) -> Reply:
    """The reply as a model; an `ok` needs to know to which command. Raises as `validate_event`."""
    kind = reply["type"]
    if kind == "ok":
        if command is None:
            raise ValueError("an `ok` can only be checked with the command that it answers")
        return _validate(OKS[command], reply, exact=exact)
    return _validate(REPLIES[kind], reply, exact=exact)


def _validate(model: type[ModelT], given: dict[str, Any], *, exact: bool) -> ModelT:
    value = model.model_validate(given)
    if exact:
        unknown = sorted(_unknown(given, value.model_dump(exclude_unset=True), ""))
        if unknown:
            raise ValueError(f"{model.__name__} does not know: {', '.join(unknown)}")
    return value


def _unknown(given: Any, kept: Any, path: str) -> list[str]:
    if isinstance(given, dict) and isinstance(kept, dict):
        return [
            name
            for key in given
            for name in ([f"{path}{key}"] if key not in kept else _unknown(given[key], kept[key], f"{path}{key}."))
        ]
    if isinstance(given, list) and isinstance(kept, list):
        return [
            name
            for index, (one, other) in enumerate(zip(given, kept, strict=True))
            for name in _unknown(one, other, f"{path}{index}.")
        ]
    return []
