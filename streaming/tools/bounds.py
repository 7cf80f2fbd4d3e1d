"""Keeping what tools give to a size that can be stored, sent on and read by a model."""

from __future__ import annotations

from typing import Any

import orjson

from hanzo_live.protocol import check_json
from streaming.tools.specs import ToolOutcome

CUT = "… [cut here: the tool gave more than {} bytes]"


def bounded(value: Any, max_bytes: int) -> ToolOutcome:
    """`value`, which is JSON, as an outcome. Text that is too long is cut and says so; so is anything else, as text."""
    if isinstance(value, str):
        return ToolOutcome(cut(value, max_bytes))
    try:
        check_json(value, max_bytes=max_bytes)
    except ValueError as error:
        if "larger" in str(error):
            return ToolOutcome(cut(orjson.dumps(value).decode(), max_bytes))
        return ToolOutcome.failed(f"What the tool gave cannot be used: it {error}.")
    return ToolOutcome(value)


def cut(text: str, max_bytes: int) -> str:
    """`text` as it can be stored, of at most about `max_bytes`."""
    encoded = text.replace("\0", "").encode("utf-8", "replace")
    if len(encoded) <= max_bytes:
        return encoded.decode()
    return encoded[:max_bytes].decode("utf-8", "ignore") + CUT.format(max_bytes)
