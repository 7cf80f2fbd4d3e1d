"""Reads, and the rows in the wire's shapes. Nothing here changes a row or asks who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from sessions.models import ApiToken, Invitation, LiveSession, Member, Message, MessageRole, MessageStatus, Role, User

Wire = dict[str, Any]

# Answers of which is read what tools gave; of older ones nobody is told.
ANSWERS_WITH_TOOLS = 20


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool call of an answer that has its result, or an error in words."""

    id: str
    name: str
    args: Wire
    result: Any
    error: str | None


@dataclass(frozen=True, slots=True)
class Said:
    """One message as a model may be told of it. `speaker` is the name of the person who wrote a prompt.

    `tools` are those that an answer used, where they were asked for, and `thoughts` what it thought.
    """

    n: int
    role: MessageRole
    content: str
    speaker: str | None
    tools: tuple[ToolUse, ...] = ()
    thoughts: str = ""


def time_wire(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as on every wire of ours."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_wire(user: User) -> Wire:
    return {"id": str(user.pk), "name": user.name, "avatar": user.avatar.url if user.avatar else None}


def me_wire(user: User) -> Wire:
    """A user as only they see themselves."""
    return {**user_wire(user), "email": user.email, "is_admin": user.is_staff}


def token_wire(token: ApiToken) -> Wire:
    """An API token without the token, of which only the digest is kept."""
    return {
        "id": str(token.pk),
        "name": token.name,
        "scope": str(token.scope),
        "created_at": time_wire(token.created_at),
        "last_used_at": time_wire(token.last_used_at) if token.last_used_at else None,
    }


def message_wire(message: Message) -> Wire:
    """The wire's Message. `message.user` should have been selected along."""
    # A reply that waits for its stream is, to those who watch, one that is being written.
    status = MessageStatus.STREAMING if message.status == MessageStatus.QUEUED else message.status
    return {
        "id": str(message.pk),
        "n": message.n,
        "role": str(message.role),
        "content": message.content,
        "parts": message.parts,
        "user": user_wire(message.user) if message.user else None,
        "stream": str(message.stream) if message.stream else None,
        "status": str(status),
        "finish_reason": message.finish_reason or None,
        "key": message.key,
        "created_at": time_wire(message.created_at),
    }


def member_wire(member: Member) -> Wire:
    return {"user": user_wire(member.user), "role": str(member.role)}


def invitation_wire(invitation: Invitation) -> Wire:
    """An invitation without its token, of which only the digest is kept."""
    return {
        "id": str(invitation.pk),
        "email": invitation.email or None,
        "role": str(invitation.role),
        "inviter": user_wire(invitation.inviter) if invitation.inviter else None,
        "max_uses": invitation.max_uses,
        "uses": invitation.uses,
        "mail": str(invitation.mail) or None,
        "created_at": time_wire(invitation.created_at),
        "expires_at": time_wire(invitation.expires_at),
    }


def preview_wire(invitation: Invitation, *, member: bool) -> Wire:
    """An invitation as whoever has its token sees it."""
    session = invitation.session
    return {
        "session": {"id": str(session.pk) if member else None, "title": session.title},
        "inviter": user_wire(invitation.inviter) if invitation.inviter else None,
        "role": str(invitation.role),
        "member": member,
        "expires_at": time_wire(invitation.expires_at),
    }


def settings_wire(session: LiveSession) -> Wire:
    return {"system_prompt": session.system_prompt or None, "overlap": str(session.overlap)}


def session_info(session: LiveSession) -> Wire:
    """What is the same for every member: the `session` of a snapshot."""
    return {
        "id": str(session.pk),
        "slug": session.slug,
        "title": session.title,
        "model": session.model or None,
        "archived": session.archived_at is not None,
        "settings": settings_wire(session),
        "created_at": time_wire(session.created_at),
    }


def session_wire(session: LiveSession, role: Role) -> Wire:
    """A session as REST shows it to a member with `role`: the snapshot's shape, and more."""
    return {
        **session_info(session),
        **settings_wire(session),
        "role": str(role),
        "log": session.log,
        "updated_at": time_wire(session.updated_at),
    }


def own_session_wire(member: Member, unread: int) -> Wire:
    """A session as its member sees it in their list; `member.session` should have been selected along."""
    return {
        **session_wire(member.session, Role(member.role)),
        "last_n": member.session.last_n,
        "last_read_n": member.last_read_n,
        "unread": unread,
    }


def messages_of(session_id: UUID) -> QuerySet[Message]:
    """The session's messages with their authors; order and slice them by `n`, which is indexed."""
    return Message.objects.filter(session_id=session_id).select_related("user")


def members_of(session_id: UUID) -> QuerySet[Member]:
    """The session's members with their users, in the order in which they came."""
    return Member.objects.filter(session_id=session_id).select_related("user").order_by("created_at", "pk")


def snapshot(session: LiveSession, tail: int) -> Wire:
    """The session, its members and its latest `tail` messages in order. Two queries, however long the session."""
    newest = list(messages_of(session.pk).order_by("-n")[: tail + 1])
    return {
        "session": session_info(session),
        "members": [member_wire(member) for member in members_of(session.pk)],
        "messages": [message_wire(message) for message in newest[:tail][::-1]],
        "has_more": len(newest) > tail,
    }


def history(session_id: UUID, limit: int, *, before_n: int | None = None, with_tools: bool = False) -> list[Said]:
    """The newest `limit` messages that a model may be told of, oldest first; with `before_n` only those before it.

    Failed and unfinished answers, empty messages and prompts that were taken back are left out; a stopped answer keeps its text.
    With `with_tools` the newest answers that used some say which.
    """
    # A stopped prompt is one that its sender took back.
    told = messages_of(session_id).filter(
        Q(status=MessageStatus.COMPLETE) | Q(status=MessageStatus.STOPPED) & ~Q(role=MessageRole.USER)
    )
    told = told.exclude(content="")
    if before_n is not None:
        told = told.filter(n__lt=before_n)
    rows = told.only("n", "role", "content", "user__name").order_by("-n")[:limit]
    parts = _newest_parts(told) if with_tools else {}
    return [
        Said(
            n=row.n,
            role=MessageRole(row.role),
            content=row.content,
            speaker=row.user.name if row.role == MessageRole.USER and row.user else None,
            tools=tool_uses(parts.get(row.n, ())),
            thoughts=thoughts_of(parts.get(row.n, ())),
        )
        for row in reversed(rows)
    ]


def _newest_parts(told: QuerySet[Message]) -> dict[int, list[Wire]]:
    """By the number of the answer. What a tool gave may be long: it is not read for all that was ever said."""
    answers = told.filter(role=MessageRole.ASSISTANT).exclude(parts=[]).order_by("-n")
    return dict(answers.values_list("n", "parts")[:ANSWERS_WITH_TOOLS])


def tool_uses(parts: Sequence[Wire]) -> tuple[ToolUse, ...]:
    """The calls among a message's parts that have their result."""
    results = {part["id"]: part for part in parts if part["type"] == "toolResult"}
    return tuple(
        ToolUse(
            part["id"], part["name"], part["args"] or {}, results[part["id"]]["result"], results[part["id"]]["error"]
        )
        for part in parts
        if part["type"] == "toolCall" and part["id"] in results
    )


def thoughts_of(parts: Sequence[Wire]) -> str:
    """What a message's author thought. Parts do not tell what of it came before a call."""
    return "".join(part["text"] for part in parts if part["type"] == "reasoning")
