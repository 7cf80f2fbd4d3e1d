"""Which call a piece of a tool call belongs to: engines disagree, and this is where they are made to agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from .events import ToolCallDelta


@dataclass(slots=True)
class _Call:
    index: int
    id: str
    name: str
    named: bool  # the id is the node's own, not ours
    args: str = ""


class ToolCallTracker:
    """Keys calls by (index, id): a new id on a used index is a new call; "" and null mean "unchanged".

    A node that gives no id gets one from us, `call_<n>`. Without index and id, a name begins a call.
    """

    __slots__ = ("_by_index", "_calls")

    def __init__(self) -> None:
        self._by_index: dict[int, _Call] = {}
        self._calls: list[_Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def feed(self, pieces: object) -> list[ToolCallDelta]:
        """`pieces`: the value of `tool_calls`, as it came. What has not the shape of a call is passed over."""
        if isinstance(pieces, dict):
            pieces = [pieces]
        if not isinstance(pieces, list):
            return []
        return [delta for piece in pieces if isinstance(piece, dict) and (delta := self._one(piece))]

    def _one(self, piece: dict[str, Any]) -> ToolCallDelta | None:
        function = piece.get("function")
        if not isinstance(function, dict):
            function = piece
        index = piece.get("index")
        id = _text(piece.get("id"))
        name = _text(function.get("name"))
        args = _arguments(function.get("arguments"))
        call = self._find(index if isinstance(index, int) else None, id, name)
        if call is None:
            if not (id or name or args):
                return None
            number = len(self._calls)
            call = _Call(number, id or f"call_{number}", name, bool(id))
            self._calls.append(call)
        elif not (args or (name and not call.name)):
            return None
        if not call.name:
            call.name = name
        if isinstance(index, int):
            self._by_index[index] = call
        call.args += args
        return ToolCallDelta(call.index, call.id, call.name, args)

    def _find(self, index: int | None, id: str, name: str) -> _Call | None:
        """The call that this piece goes on with, or None: a new one."""
        if id:
            for call in self._calls:
                if call.named and call.id == id:
                    return call
        if index is not None:
            call_at = self._by_index.get(index)
        else:
            call_at = self._calls[-1] if self._calls and not name else None
        if call_at is None or (id and call_at.named):
            return None
        if name and call_at.name and not call_at.named and _is_whole(call_at.args):
            return None  # an engine without ids that sends whole calls, all at index 0
        return call_at


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _arguments(value: object) -> str:
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return value if isinstance(value, str) else ""


def _is_whole(args: str) -> bool:
    try:
        orjson.loads(args)
    except orjson.JSONDecodeError:
        return False
    return True
