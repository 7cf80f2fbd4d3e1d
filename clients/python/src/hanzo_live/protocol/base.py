"""What every model of the wire stands on: strictness, and the scalars that have one meaning everywhere.

Not for single commands or events; those are in `commands.py`, `replies.py` and `events.py`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every language with JSON holds exactly."""

NO_NUL = r"^[^\x00]*$"
"""Text may hold anything but NUL, which PostgreSQL cannot store."""

MAX_JSON_DEPTH = 32

RESERVED_KEYS = "draft:"
"""How the keys begin that the server gives itself: with them it tells which of a session's drafts were posted."""

JsonObject: TypeAlias = dict[str, Any]


class WireModel(BaseModel):
    """One JSON object on the wire. Wrong types are refused, never converted; unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)

    example: ClassVar[JsonObject] = {}
    """A realistic value of this shape: the fixtures, the documents and the tests are made from it."""


def check_json(value: object, *, max_bytes: int, max_depth: int = MAX_JSON_DEPTH) -> None:
    """Raise ValueError unless `value` is JSON that can be stored and sent on: finite, not deep, not large, no NUL.

    The size counted is that of the UTF-8 text and of a few bytes for every other value: a bound, not a measure.
    """
    size = 0
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        item, depth = pending.pop()
        if depth > max_depth:
            raise ValueError(f"must not be nested deeper than {max_depth} levels")
        size += 2
        if isinstance(item, str):
            size += _text_size(item)
        elif isinstance(item, dict):
            if not all(isinstance(key, str) for key in item):
                raise ValueError("must have text as the names in objects")
            for key, child in item.items():
                size += _text_size(key) + 3
                pending.append((child, depth + 1))
        elif isinstance(item, (list, tuple)):
            pending.extend((child, depth + 1) for child in item)
        elif isinstance(item, bool) or item is None:
            size += 3
        elif isinstance(item, int):
            if not -(2**63) <= item < 2**63:
                raise ValueError("must not hold whole numbers of more than 64 bits")
            size += 8
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise ValueError("must not hold numbers that are not finite")
            size += 8
        else:
            raise ValueError("must be JSON")
        if size > max_bytes:
            raise ValueError(f"must not be larger than {max_bytes} bytes")


def _text_size(text: str) -> int:
    if "\0" in text:
        raise ValueError("must not hold the NUL character")
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode text") from error


def _small_json(value: Any) -> Any:
    check_json(value, max_bytes=1_000, max_depth=4)
    return value


def _large_json(value: Any) -> Any:
    check_json(value, max_bytes=200_000)
    return value


def _schema_json(value: JsonObject) -> JsonObject:
    check_json(value, max_bytes=65_536)
    return value


def _key_of_a_caller(value: str) -> str:
    if value.startswith(RESERVED_KEYS):
        raise ValueError(f"must not begin with `{RESERVED_KEYS}`, which is kept for what is posted by `draft.send`")
    return value


SmallJson: TypeAlias = Annotated[Any, AfterValidator(_small_json)]
"""Any JSON of at most 1,000 bytes and 4 levels: a cursor."""

LargeJson: TypeAlias = Annotated[Any, AfterValidator(_large_json)]
"""Any JSON of at most 200,000 bytes: what a tool gave."""

SchemaJson: TypeAlias = Annotated[JsonObject, AfterValidator(_schema_json)]
"""An object of at most 65,536 bytes: a tool's parameters."""

CommandId: TypeAlias = (
    Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)] | Annotated[str, Field(max_length=200, pattern=NO_NUL)]
)
Count: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Number: TypeAlias = Annotated[float, Field(ge=0)]
Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
SessionRef: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
LogName: TypeAlias = Annotated[str, Field(max_length=210, pattern=r"^(session|stream):[^\x00]{1,200}$")]
Epoch: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Key: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=NO_NUL, json_schema_extra={"not": {"pattern": f"^{RESERVED_KEYS}"}}),
    AfterValidator(_key_of_a_caller),
]
Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
Content: TypeAlias = Annotated[str, Field(max_length=200_000, pattern=NO_NUL)]
NewContent: TypeAlias = Annotated[str, Field(min_length=1, max_length=200_000, pattern=NO_NUL)]
Reason: TypeAlias = Annotated[str, Field(max_length=2_000, pattern=NO_NUL)]
Email: TypeAlias = Annotated[str, Field(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$")]
Base64: TypeAlias = Annotated[str, Field(max_length=700_000, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
Url: TypeAlias = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^https?://[^\s\x00]+$")]
