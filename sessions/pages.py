"""Pages of long lists, by position and not by count: each is one query that an index answers, however long the list."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Q

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import Member, Message, User
from sessions.queries import messages_of

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order, and the cursors of the pages after and before them, where there are any."""

    results: list[Row]
    next: str | None
    previous: str | None


def message_page(
    session_id: UUID, limit: int, cursor: str | None = None, *, role: str | None = None, user_id: UUID | None = None
) -> Page[Message]:
    """Messages, oldest first within the page. Without a cursor the newest; `next` goes to older ones.

    With `role` or `user_id` only those that have it; a reply's user is who asked for it. A cursor is `b<n>` (before message n) or `a<n>` (after it). Raises LiveError `bad_request` for anything else.
    """
    rows = messages_of(session_id)
    if role is not None:
        rows = rows.filter(role=role)
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    direction, number = ("b", None) if cursor is None else _message_cursor(cursor)
    if direction == "a":
        found = list(rows.filter(n__gt=number).order_by("n")[: limit + 1])
        page, more_older, more_newer = found[:limit], True, len(found) > limit
    else:
        if number is not None:
            rows = rows.filter(n__lt=number)
        found = list(rows.order_by("-n")[: limit + 1])
        page, more_older, more_newer = found[:limit][::-1], len(found) > limit, number is not None
    if not page:
        return Page([], None, None)
    return Page(
        page,
        next=f"b{page[0].n}" if more_older and page[0].n > 1 else None,
        previous=f"a{page[-1].n}" if more_newer else None,
    )


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which of a user's sessions, and in which order: the name of a time, with `-` the latest first."""

    archived: bool = False
    role: str | None = None
    order: str = "-updated_at"


SESSION_ORDERS = ("-updated_at", "updated_at", "-created_at", "created_at")


def session_page(
    user: User, limit: int, cursor: str | None = None, which: SessionFilter = SessionFilter()
) -> Page[Member]:
    """The user's memberships with their sessions; `next` goes on in the order of `which`.

    Raises LiveError `bad_request` for a cursor that is not ours.
    """
    rows = Member.objects.filter(user=user, session__archived_at__isnull=not which.archived).select_related("session")
    if which.role is not None:
        rows = rows.filter(role=which.role)
    time = which.order.lstrip("-")
    direction, moment, last_id = ("b", None, None) if cursor is None else _session_cursor(cursor)
    falling = which.order.startswith("-") == (direction == "b")
    if moment is not None:
        beyond, sign = f"session__{time}", "lt" if falling else "gt"
        rows = rows.filter(Q(**{f"{beyond}__{sign}": moment}) | Q(**{beyond: moment, f"session_id__{sign}": last_id}))
    sign = "-" if falling else ""
    found = list(rows.order_by(f"{sign}session__{time}", f"{sign}session_id")[: limit + 1])
    page, more = found[:limit], len(found) > limit
    if direction == "a":
        page.reverse()
    if not page:
        return Page([], None, None)
    return Page(
        page,
        next=_cursor_of("b", page[-1], time) if more or direction == "a" else None,
        previous=_cursor_of("a", page[0], time) if (more if direction == "a" else moment is not None) else None,
    )


def _message_cursor(cursor: str) -> tuple[str, int | None]:
    direction, digits = cursor[:1], cursor[1:]
    if direction not in ("a", "b") or not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise bad_cursor()
    return direction, int(digits)


def _cursor_of(direction: str, member: Member, time: str) -> str:
    moment: datetime = getattr(member.session, time)
    position = f"{direction}{moment.isoformat()}/{member.session_id}"
    return urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _session_cursor(cursor: str) -> tuple[str, datetime | None, UUID | None]:
    try:
        position = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, last_id = position[1:].partition("/")
        found = position[:1], datetime.fromisoformat(moment), UUID(last_id)
    except (ValueError, binascii.Error) as error:
        raise bad_cursor() from error
    if found[0] not in ("a", "b") or found[1].tzinfo is None:
        raise bad_cursor()
    return found


def bad_cursor() -> LiveError:
    return LiveError(
        ErrorCode.BAD_REQUEST,
        "This cursor is not one of ours. Follow `next` and `previous` as they come.",
        field="cursor",
    )
