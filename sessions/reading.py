"""How far members have read: noting it, and counting what is new to them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest, Least

from sessions.access import session_not_found
from sessions.models import LiveSession, Member, Message, MessageRole, User

# Only the newest ones are looked at, so that a count costs the same however much somebody missed.
MAX_UNREAD = 100
MAX_N = 2_147_483_647  # what the column holds


def mark_read(session: LiveSession, user: User, n: int) -> Member:
    """The membership, with message `n` (or the newest, where there are fewer) read. It never goes back.

    Raises LiveError `not_found` for somebody who is no member any more.
    """
    n = min(n, MAX_N)
    mine = Member.objects.filter(session=session, user=user)
    newest = LiveSession.objects.filter(pk=session.pk).values("last_n")
    mine.filter(last_read_n__lt=n).update(last_read_n=Greatest(F("last_read_n"), Least(Subquery(newest), n)))
    member = mine.select_related("session").first()
    if member is None:
        raise session_not_found()
    return member


def unread_counts(members: Iterable[Member]) -> dict[int, int]:
    """By membership's key: how many messages came since it last read, at most MAX_UNREAD. One query.

    A person's own prompts do not count; the answers to them do.
    """
    newer: QuerySet[Message] = Message.objects.filter(
        session_id=OuterRef("session_id"), n__gt=Greatest(OuterRef("last_read_n"), OuterRef("oldest"))
    )
    newer = newer.exclude(Q(role=MessageRole.USER) & Q(user_id=OuterRef("user_id")))
    counts = newer.order_by().values("session_id").annotate(count=Count("pk")).values("count")
    rows = Member.objects.filter(pk__in=[member.pk for member in members]).annotate(
        oldest=F("session__last_n") - MAX_UNREAD,
        unread=Coalesce(Subquery(counts, output_field=IntegerField()), 0),
    )
    return dict(rows.values_list("pk", "unread"))


def membership_of(session_id: UUID, user: User) -> Member:
    """The user's membership with its session. Raises LiveError `not_found` where it ended meanwhile."""
    member = Member.objects.select_related("session").filter(session_id=session_id, user=user).first()
    if member is None:
        raise session_not_found()
    return member
