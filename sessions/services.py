"""The verbs that change sessions and what is said in them. Each is one transaction and announces what it changed.

They keep the rules of the data (numbers without holes, an owner always, limits); whether somebody may is asked of
`access` before. What is written under the session row's lock is in order for everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import text
from sessions.access import session_not_found
from sessions.endings import end_session
from sessions.models import LiveSession, Member, Message, MessageRole, MessageStatus, Overlap, Role, User
from sessions.outbox import Announcement, announce
from sessions.queries import message_wire, messages_of, session_info
from sessions.titles import UNTITLED, title_from


class SessionChanges(TypedDict, total=False):
    """What an owner may change of a session; an empty `model` or no `slug` takes it away."""

    title: str
    model: str
    slug: str | None
    system_prompt: str
    overlap: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """A person's message and, where one was asked for, the reply that will be written.

    `existing`: the sender's key had been used before; nothing was written this time.
    """

    message: Message
    reply: Message | None
    existing: bool


def create_session(
    user: User,
    *,
    title: str = "",
    model: str = "",
    slug: str | None = None,
    system_prompt: str = "",
    overlap: str = Overlap.QUEUE,
) -> LiveSession:
    """A new session that `user` owns. Raises LiveError `bad_request`, or `conflict` for a slug that is taken."""
    session = LiveSession()
    _assign(session, {"title": title, "model": model, "slug": slug, "system_prompt": system_prompt, "overlap": overlap})
    with transaction.atomic():
        _save_with_slug(session)
        Member.objects.create(session=session, user=user, role=Role.OWNER)
    return session


@transaction.atomic
def update_session(session: LiveSession, user: User, **changes: Unpack[SessionChanges]) -> LiveSession:
    """The session after `changes`, announced as one `session` event. `user` is who asked for it.

    Raises LiveError as `create_session` does.
    """
    locked = lock(session.pk)
    before = session_info(locked)
    _assign(locked, changes)
    after = session_info(locked)
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        _save_with_slug(locked)
        announce(locked.log, Announcement("session", {"session": changed}))
        if changed.get("archived"):
            end_session(locked.log, "archived")
    return locked


@transaction.atomic
def delete_session(session: LiveSession, *, confirm: str | None = None) -> None:
    """Delete the session and all that was said in it; sockets that watch it are told.

    With `confirm`, only while that is its title. Raises LiveError `conflict` otherwise: somebody renamed it meanwhile,
    or another one was meant.
    """
    locked = lock(session.pk)
    if confirm is not None and confirm.strip() != locked.title:
        raise LiveError(
            ErrorCode.CONFLICT, "That is not this session's title, so nothing was deleted. Look again.", field="confirm"
        )
    locked.delete()
    end_session(session.log, "deleted")


def post_message(
    session_id: UUID, user: User, content: str, *, key: str | None = None, reply_stream: UUID | None = None
) -> Posted:
    """Post a person's message and, with `reply_stream`, the empty reply that this stream will write.

    A session without a title takes one from the prompt. May stand inside a larger transaction, which then holds the
    session row's lock to its end.

    Raises LiveError: `bad_request`; `not_found` for a session that is gone; `conflict` for an archived one.
    """
    text.clean_text(content, "content", text.MAX_CONTENT, required=True)
    if key is not None:
        text.clean_text(key, "key", text.MAX_KEY, required=True)
    with transaction.atomic():
        session = lock(session_id)
        if key is not None and (earlier := messages_of(session_id).filter(user=user, key=key).first()):
            return Posted(earlier, _reply_to(earlier), existing=True)
        if session.archived_at is not None:
            raise LiveError(ErrorCode.CONFLICT, "This session is archived. An owner can open it again in its settings.")
        n = session.last_n + 1
        message = Message(session=session, n=n, role=MessageRole.USER, content=content, user=user, key=key)
        rows = [message]
        if reply_stream is not None:
            rows.append(
                Message(
                    session=session,
                    n=n + 1,
                    role=MessageRole.ASSISTANT,
                    user=user,
                    stream=reply_stream,
                    status=MessageStatus.QUEUED,
                )
            )
        Message.objects.bulk_create(rows)
        session.last_n = rows[-1].n
        events = [Announcement("message", {"message": message_wire(row)}) for row in rows]
        if session.title == UNTITLED and (title := title_from(content)) != UNTITLED:
            session.title = title
            events.append(Announcement("session", {"session": {"title": title}}))
        session.save(update_fields=["last_n", "title", "updated_at"])
        announce(session.log, *events)
    return Posted(message, rows[1] if reply_stream is not None else None, existing=False)


def take_back_prompt(reply_id: UUID) -> None:
    """Mark the prompt that this reply was to answer as taken back, for all to see: no model is told of it any more.

    Within a transaction that holds the session row's lock.
    """
    reply = Message.objects.filter(pk=reply_id).first()
    prompt = reply and messages_of(reply.session_id).filter(n=reply.n - 1, role=MessageRole.USER).first()
    if prompt:
        prompt.status = MessageStatus.STOPPED
        prompt.save(update_fields=["status"])
        announce(f"session:{prompt.session_id}", Announcement("message", {"message": message_wire(prompt)}))


def mark_reply(message_id: UUID, status: MessageStatus) -> None:
    """Note where the writing of a reply stands."""
    Message.objects.filter(pk=message_id).update(status=status)


def finish_reply(
    message_id: UUID, *, content: str, parts: list[dict[str, Any]], status: MessageStatus, finish_reason: str
) -> Message | None:
    """Store what a stream wrote; the message as it is now, or None if its session was deleted meanwhile.

    Announces nothing: the stream's one terminal event, in the caller's transaction, says it.
    """
    with transaction.atomic():
        message = Message.objects.select_related("user").filter(pk=message_id).first()
        if message is None:
            return None
        message.content, message.parts = content, parts
        message.status, message.finish_reason = status, finish_reason
        message.save(update_fields=["content", "parts", "status", "finish_reason"])
        LiveSession.objects.filter(pk=message.session_id).update(updated_at=timezone.now())
    return message


def lock(session_id: UUID) -> LiveSession:
    """The session's row, locked until the transaction ends. Raises LiveError `not_found` when it is gone."""
    session = LiveSession.objects.select_for_update().filter(pk=session_id).first()
    if session is None:
        raise session_not_found()
    return session


def _reply_to(message: Message) -> Message | None:
    """The reply that was posted with `message`: always the number after it."""
    return messages_of(message.session_id).filter(n=message.n + 1, role=MessageRole.ASSISTANT).first()


def _assign(session: LiveSession, changes: Mapping[str, Any]) -> None:
    if "title" in changes:
        session.title = text.clean_line(changes["title"], "title", text.MAX_TITLE) or UNTITLED
    if "model" in changes:
        session.model = text.clean_text(changes["model"], "model", text.MAX_MODEL)
    if "slug" in changes:
        session.slug = text.clean_slug(changes["slug"]) if changes["slug"] else None
    if "system_prompt" in changes:
        session.system_prompt = text.clean_text(changes["system_prompt"], "system_prompt", text.MAX_SYSTEM_PROMPT)
    if "overlap" in changes:
        if changes["overlap"] not in Overlap.values:
            raise LiveError(ErrorCode.BAD_REQUEST, f"`overlap` is one of {', '.join(Overlap.values)}.", field="overlap")
        session.overlap = changes["overlap"]
    if "archived" in changes and changes["archived"] != (session.archived_at is not None):
        session.archived_at = timezone.now() if changes["archived"] else None


def _save_with_slug(session: LiveSession) -> None:
    # Asked of the constraint, not by a look before: two may take the same slug at the same time.
    try:
        with transaction.atomic():
            session.save()
    except IntegrityError as error:
        raise LiveError(
            ErrorCode.CONFLICT, f"The slug `{session.slug}` is taken; choose another.", field="slug"
        ) from error
