"""From a raw frame to a `Command`, or to the documented refusal. No input makes it raise anything else.

Built once, a dictionary lookup a frame. Not for access: a command that parses may still be refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from hanzo_live.protocol.base import MAX_INTEGER, NO_NUL
from hanzo_live.protocol.commands import COMMANDS, AnyCommand
from hanzo_live.protocol.errors import ErrorCode, LiveError

_VALIDATORS = {name: model.__pydantic_validator__ for name, model in COMMANDS.items()}


class CommandRefused(LiveError):
    """A frame that is no good command. `id` is the command's, where it could be read."""

    def __init__(self, code: ErrorCode, message: str, *, id: int | str | None = None, field: str | None = None) -> None:
        super().__init__(code, message, field=field)
        self.id = id

    def wire(self, id: int | str | None = None) -> dict[str, Any]:
        return super().wire(self.id if id is None else id)


class MalformedFrame(CommandRefused):
    """A frame that is not a JSON object with a string `type`: three in a row close the socket with 4400."""


def decode_frame(raw: str | bytes) -> dict[str, Any]:
    """The JSON object in a raw frame. Raises MalformedFrame."""
    try:
        frame = from_json(raw, allow_inf_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        # TypeError: text with lone surrogates, which is no UTF-8.
        raise MalformedFrame(
            ErrorCode.BAD_REQUEST, "The frame is not valid JSON. Send one JSON object in each text frame."
        ) from error
    if not isinstance(frame, dict):
        raise MalformedFrame(ErrorCode.BAD_REQUEST, "The frame is not a JSON object. Send one in each text frame.")
    return frame


def command_id(frame: Mapping[str, Any]) -> int | str | None:
    """The `id` of a frame if it is one that can come back in a reply, else None."""
    value = frame.get("id")
    if isinstance(value, str):
        return value if len(value) <= 200 and _is_text(value) else None
    if isinstance(value, int) and not isinstance(value, bool) and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    return None


def parse_command(raw: str | bytes | dict[str, Any]) -> AnyCommand:
    """The command in a frame, raw or already decoded.

    Raises MalformedFrame (no JSON object with a string `type`) or CommandRefused (`unknown_command`, or `bad_request`
    with the `field` at fault). Both are LiveErrors whose `wire()` already has the command's `id`.
    """
    frame = raw if isinstance(raw, dict) else decode_frame(raw)
    kind = frame.get("type")
    if not isinstance(kind, str):
        raise MalformedFrame(
            ErrorCode.BAD_REQUEST,
            "The frame has no `type`, or it is not text. Name the command in `type`.",
            id=command_id(frame),
            field="type",
        )
    validator = _VALIDATORS.get(kind)
    if validator is None:
        shown = kind if len(kind) <= 40 and kind.isprintable() and kind.isascii() else "that"
        raise CommandRefused(
            ErrorCode.UNKNOWN_COMMAND,
            f"There is no command `{shown}`. The commands are: {', '.join(COMMANDS)}.",
            id=command_id(frame),
            field="type",
        )
    try:
        return cast(AnyCommand, validator.validate_python(frame))
    except ValidationError as error:
        raise refusal(error, frame, id=command_id(frame)) from error


def refusal(error: ValidationError, given: object, *, id: int | str | None = None) -> CommandRefused:
    """The `bad_request` for the first fault that pydantic found in `given`: which field, and what it must be."""
    faults = error.errors(include_url=False, include_input=False)
    fault = max(faults, key=lambda each: len(_path(each["loc"], given)))
    path = _path(fault["loc"], given)
    words = _words(fault)
    message = f"`{path}` {words}." if path else f"The request {words}."
    return CommandRefused(ErrorCode.BAD_REQUEST, message, id=id, field=path or None)


def _path(location: tuple[int | str, ...], given: object) -> str:
    """The field at fault, as `messages.0.content`. Names of union branches, which pydantic adds, are left out."""
    steps: list[str] = []
    here = given
    for step in location:
        if isinstance(here, Mapping) and isinstance(step, str):
            if step in here:
                here = here[step]
            elif step.isidentifier() and step == location[-1]:
                return ".".join([*steps, step])
            else:
                continue
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            continue
        steps.append(str(step))
    return ".".join(steps)


_PLAIN_WORDS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_unicode": "must be valid Unicode text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "finite_number": "must be a finite number",
}
_BOUND_WORDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "string_too_short": ("min_length", "must have at least {} characters"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "too_short": ("min_length", "must have at least {} entries"),
    "too_long": ("max_length", "must have at most {} entries"),
    "literal_error": ("expected", "must be {}"),
}


def _words(fault: ErrorDetails) -> str:
    kind = fault["type"]
    context = fault.get("ctx", {})
    if kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[kind]
    if kind in _BOUND_WORDS:
        name, sentence = _BOUND_WORDS[kind]
        bound = context.get(name)
        if isinstance(bound, float) and math.isfinite(bound) and bound.is_integer():
            bound = int(bound)
        return sentence.format(bound)
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return "must not hold the NUL character" if context.get("pattern") == NO_NUL else "is not of the right form"
    return "is not valid"


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
