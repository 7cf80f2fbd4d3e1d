"""The verb that starts a new session from what was said in another one."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import LiveSession, Member, Message, MessageStatus, Role, User
from sessions.queries import messages_of
from sessions.titles import title_of_copy

MAX_COPIED = 10_000
ROWS_AT_ONCE = 1_000

ENDED = (MessageStatus.COMPLETE, MessageStatus.STOPPED, MessageStatus.FAILED)


@transaction.atomic
def duplicate_session(session: LiveSession, user: User, *, from_message: UUID | None = None) -> LiveSession:
    """A new session that `user` owns alone, with the messages up to `from_message` (included), else all of them.

    Model, system prompt and rule for overlaps come along; members, slug and invitations do not. Answers that are still
    being written are left out, so the numbers begin at 1 again. The copies name who said them, and no stream: that one
    stays where it ran.

    Raises LiveError: `not_found` for a message that is not in the session, `too_large` above MAX_COPIED messages.
    """
    rows = messages_of(session.pk).filter(status__in=ENDED).order_by("n")
    if from_message is not None:
        last = messages_of(session.pk).filter(pk=from_message).first()
        if last is None:
            raise LiveError(
                ErrorCode.NOT_FOUND,
                "There is no such message in this session. Name one by its `id`.",
                field="from_message",
            )
        rows = rows.filter(n__lte=last.n)
    if rows.count() > MAX_COPIED:
        raise LiveError(
            ErrorCode.TOO_LARGE,
            f"A copy takes {MAX_COPIED:,} messages at most. Name an earlier message in `from_message`.",
            field="from_message",
        )
    copy = LiveSession.objects.create(
        title=title_of_copy(session.title),
        model=session.model,
        system_prompt=session.system_prompt,
        overlap=session.overlap,
    )
    for batch in _batches(rows):
        Message.objects.bulk_create(_copied(message, copy, copy.last_n + k) for k, message in enumerate(batch, start=1))
        copy.last_n += len(batch)
    copy.save(update_fields=["last_n", "updated_at"])
    Member.objects.create(session=copy, user=user, role=Role.OWNER, last_read_n=copy.last_n)
    return copy


def _batches(rows: QuerySet[Message]) -> Iterator[list[Message]]:
    last = 0
    while batch := list(rows.filter(n__gt=last)[:ROWS_AT_ONCE]):
        yield batch
        last = batch[-1].n


def _copied(message: Message, session: LiveSession, n: int) -> Message:
    return Message(
        session=session,
        n=n,
        role=message.role,
        content=message.content,
        parts=message.parts,
        user=message.user,
        status=message.status,
        finish_reason=message.finish_reason,
        created_at=message.created_at,
    )
