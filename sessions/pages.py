"""Pages of long lists, by position and not by count: each is one query that an index answers, however long the list."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Lower

from sessions.models import Member, Message, MessageStatus, User
from sessions.positions import Order, Page, bad_cursor, page_of
from sessions.queries import messages_of


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which of a session's messages. `user_id` is who said it, or asked for it; `status` is the wire's."""

    role: str | None = None
    user_id: UUID | None = None
    status: str | None = None
    after_n: int | None = None
    before_n: int | None = None


def message_page(
    session_id: UUID, limit: int, cursor: str | None = None, which: MessageFilter = MessageFilter()
) -> Page[Message]:
    """Messages, oldest first within the page. Without a cursor the newest; `next` goes to older ones.

    A cursor is `b<n>` (before message n) or `a<n>` (after it). Raises LiveError `bad_request` for anything else.
    """
    rows = messages_of(session_id)
    if which.role is not None:
        rows = rows.filter(role=which.role)
    if which.user_id is not None:
        rows = rows.filter(user_id=which.user_id)
    if which.status == MessageStatus.STREAMING:
        rows = rows.filter(status__in=[MessageStatus.QUEUED, MessageStatus.STREAMING])
    elif which.status is not None:
        rows = rows.filter(status=which.status)
    if which.after_n is not None:
        rows = rows.filter(n__gt=which.after_n)
    if which.before_n is not None:
        rows = rows.filter(n__lt=which.before_n)
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
    """Which of a user's sessions, and in which of SESSION_ORDERS. `q` is a part of the title."""

    archived: bool = False
    role: str | None = None
    model: str | None = None
    q: str = ""
    order: str = "-updated_at"


# As queries name them; `-`: the latest first, or from Z to A.
SESSION_ORDERS = {
    "-updated_at": Order("session__updated_at", id="session_id"),
    "updated_at": Order("session__updated_at", falling=False, id="session_id"),
    "-created_at": Order("session__created_at", id="session_id"),
    "created_at": Order("session__created_at", falling=False, id="session_id"),
    "title": Order(Lower("session__title"), "text", falling=False, id="session_id"),
    "-title": Order(Lower("session__title"), "text", id="session_id"),
}


def session_page(
    user: User, limit: int, cursor: str | None = None, which: SessionFilter = SessionFilter()
) -> Page[Member]:
    """The user's memberships with their sessions; `next` goes on in the order of `which`.

    Raises LiveError `bad_request` for a cursor that is not ours.
    """
    rows = Member.objects.filter(user=user, session__archived_at__isnull=not which.archived).select_related("session")
    if which.role is not None:
        rows = rows.filter(role=which.role)
    if which.model is not None:
        rows = rows.filter(session__model=which.model)
    if which.q:
        rows = rows.filter(session__title__icontains=which.q)
    return page_of(rows, SESSION_ORDERS[which.order], limit, cursor)


def _message_cursor(cursor: str) -> tuple[str, int | None]:
    direction, digits = cursor[:1], cursor[1:]
    if direction not in ("a", "b") or not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        raise bad_cursor()
    return direction, int(digits)
