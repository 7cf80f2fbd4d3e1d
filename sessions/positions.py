"""Pages of rows in a chosen order, by the position of a row and not by count: nothing is skipped where rows come and go.

A position is what the rows are sorted by and, because that may repeat, the row's id. It is told as a cursor, which
readers hand back as it came.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import Combinable

from hanzo_live.protocol.errors import ErrorCode, LiveError

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)
Value = datetime | str


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order, and the cursors of the pages after and before them, where there are any."""

    results: list[Row]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """What rows are sorted by, never null; `id` is the column that tells those apart for which it is the same."""

    by: str | Combinable
    kind: Literal["time", "text"] = "time"
    falling: bool = True
    id: str = "id"


def page_of(rows: QuerySet[AnyModel], order: Order, limit: int, cursor: str | None = None) -> Page[AnyModel]:
    """A page of `rows` in `order`, in one query. Raises LiveError `bad_request` for a cursor that is not ours."""
    back, position = (False, None) if cursor is None else _read(cursor, order.kind)
    falling = order.falling != back
    by = F(order.by) if isinstance(order.by, str) else order.by
    placed: QuerySet[Any] = rows.annotate(sorted_by=by, sorted_id=F(order.id))
    if position is not None:
        value, id = position
        beyond = "lt" if falling else "gt"
        placed = placed.filter(
            Q(**{f"sorted_by__{beyond}": value}) | Q(sorted_by=value, **{f"sorted_id__{beyond}": id})
        )
    sign = "-" if falling else ""
    found: list[AnyModel] = list(placed.order_by(f"{sign}sorted_by", f"{sign}sorted_id")[: limit + 1])
    page, more = found[:limit], len(found) > limit
    if back:
        page.reverse()
    if not page:
        return Page([], None, None)
    return Page(
        page,
        next=_written("b", page[-1]) if more or back else None,
        previous=_written("a", page[0]) if (more if back else position is not None) else None,
    )


def bad_cursor() -> LiveError:
    return LiveError(
        ErrorCode.BAD_REQUEST,
        "This cursor is not one of ours. Follow `next` and `previous` as they come.",
        field="cursor",
    )


def _written(side: Literal["a", "b"], row: Any) -> str:
    """The cursor of what comes behind (`b`) or ahead (`a`) of the row."""
    value: Value = row.sorted_by
    told = [side, value.isoformat() if isinstance(value, datetime) else value, str(row.sorted_id)]
    return urlsafe_b64encode(json.dumps(told, ensure_ascii=False).encode()).decode().rstrip("=")


def _read(cursor: str, kind: Literal["time", "text"]) -> tuple[bool, tuple[Value, UUID]]:
    """Whether the cursor leads back, and from where."""
    try:
        side, told, id = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return {"a": True, "b": False}[side], (READERS[kind](told), UUID(id))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, binascii.Error) as error:
        raise bad_cursor() from error


def _time(told: str) -> datetime:
    moment = datetime.fromisoformat(told)
    if moment.tzinfo is None:
        raise ValueError("a time of nowhere")
    return moment.astimezone(UTC)


def _text(told: str) -> str:
    told.encode()  # JSON can spell halves of characters, which no database takes
    if "\0" in told:
        raise ValueError("nor this one")
    return told


READERS: dict[str, Callable[[str], Value]] = {"time": _time, "text": _text}
