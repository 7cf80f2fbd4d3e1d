"""The only authorisation: who may do what in a session or with a stream, and what operators may do in the admin panel.

Not for authentication (who somebody is): that is `authentication`. Everything else asks here and decides nothing itself.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from django.conf import settings

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import LiveSession, Member, Role, User
from sessions.text import MAX_SLUG, is_storable

MAX_REF = MAX_SLUG


class Action(StrEnum):
    READ = "read"
    PROMPT = "prompt"
    STOP = "stop"
    APPROVE_TOOLS = "approve_tools"
    EDIT_DRAFT = "edit_draft"
    INVITE = "invite"
    MANAGE = "manage"  # rename, settings, members and their roles
    DELETE = "delete"


RIGHTS: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.EDITOR: frozenset({Action.READ, Action.PROMPT, Action.STOP, Action.APPROVE_TOOLS, Action.EDIT_DRAFT}),
    Role.VIEWER: frozenset({Action.READ}),
}

IN_WORDS: dict[Action, str] = {
    Action.READ: "read it",
    Action.PROMPT: "write messages",
    Action.STOP: "stop an answer",
    Action.APPROVE_TOOLS: "approve tool calls",
    Action.EDIT_DRAFT: "edit the draft",
    Action.INVITE: "invite people",
    Action.MANAGE: "change its settings or members",
    Action.DELETE: "delete it",
}


class Operation(StrEnum):
    """What an operator may do in the admin panel, whatever their role in a session. The value is the permission it takes."""

    END_SESSION = "live_sessions.end_livesession"
    DELETE_SESSION = "live_sessions.delete_livesession"
    READ_TRANSCRIPT = "live_sessions.read_transcript"
    EXPORT_TRANSCRIPT = "live_sessions.export_transcript"
    CHANGE_ROLE = "live_sessions.change_member"
    REMOVE_MEMBER = "live_sessions.delete_member"
    REVOKE_INVITATION = "live_sessions.revoke_invitation"
    REVOKE_TOKEN = "live_sessions.revoke_apitoken"
    STOP_STREAM = "streaming.stop_stream"
    PURGE_CACHE = "streaming.purge_cache"
    RETRY_NOTICE = "streaming.retry_notice"
    CREATE_USER = "live_sessions.add_user"
    CHANGE_USER = "live_sessions.change_user"
    DEACTIVATE_USER = "live_sessions.deactivate_user"


def allowed(role: Role, action: Action) -> bool:
    """Whether `role` may do `action`."""
    return action in RIGHTS[role]


def find_session(user: User | None, ref: str, action: Action) -> tuple[LiveSession, Role]:
    """The session that `ref` (id or slug) names, and the user's role in it.

    Raises LiveError: `unauthenticated` without a user; `not_found`, always the same one, where the session does not
    exist, the user is no member, or `ref` cannot be a name of one; `forbidden` for a member without the right.
    """
    if user is None:
        raise sign_in_needed()
    member = _membership(user, ref)
    if member is None:
        raise session_not_found()
    role = Role(member.role)
    require(role, action)
    return member.session, role


def role_of(user_id: UUID, session_id: UUID) -> Role | None:
    """The user's role in the session now; None for somebody who is no member."""
    role = (
        Member.objects.filter(user_id=user_id, session_id=session_id, user__is_active=True)
        .values_list("role", flat=True)
        .first()
    )
    return None if role is None else Role(role)


def require(role: Role, action: Action) -> None:
    """Raises LiveError `forbidden` unless `role` may do `action`."""
    if not allowed(role, action):
        raise LiveError(
            ErrorCode.FORBIDDEN,
            f"As {role.label.lower()} of this session you may not {IN_WORDS[action]}. Ask an owner of the session.",
        )


def require_stream(
    user: User | None, *, session: LiveSession | None, owner_id: UUID | None, anonymous: bool, action: Action
) -> None:
    """Let `action` on a stream pass, or raise LiveError.

    In a session the role decides. A stand-alone stream is its owner's alone; one that was started without an account
    belongs to whoever knows its 128-bit id. `not_found` is the same for "not yours" and for `stream_not_found()`.
    """
    if session is not None:
        role = role_of(user.pk, session.pk) if user else None
        if role is None:
            raise stream_not_found()
        require(role, action)
    elif not (anonymous or (user is not None and owner_id == user.pk)):
        raise stream_not_found()


def require_log(user: User | None, log: str) -> str:
    """The canonical name of a session's log that `user` may read; `log` is `session:<id or slug>`.

    Raises as `find_session` does, and `not_found` for any other log: streams are checked through `require_stream`.
    """
    kind, _, ref = log.partition(":")
    if kind != "session":
        raise session_not_found()
    session, _ = find_session(user, ref, Action.READ)
    return session.log


def require_anonymous_allowed() -> None:
    """Raises LiveError `unauthenticated` where this server wants everybody to sign in."""
    if not settings.ALLOW_ANONYMOUS:
        raise LiveError(
            ErrorCode.UNAUTHENTICATED,
            "This server needs a sign-in: sign in, or send an API token as `Authorization: Bearer …`. "
            "Its operator can allow anonymous streams with --allow-anonymous.",
        )


def may_operate(user: User, permission: str) -> bool:
    """Whether an operator has a permission: an Operation's, or the one to view a kind of rows in the admin panel."""
    return user.is_active and user.is_staff and user.has_perm(permission)


def require_operation(user: User, operation: Operation) -> None:
    """Raises LiveError `forbidden` unless the operator may do it."""
    if not may_operate(user, operation):
        raise LiveError(ErrorCode.FORBIDDEN, "Your account may not do this. Ask an admin for the permission.")


def may_give_rights(user: User) -> bool:
    """Whether an operator may say what others may do. Superusers alone: anybody else could give themselves all."""
    return user.is_active and user.is_staff and user.is_superuser


def require_rights_giver(user: User) -> None:
    """Raises LiveError `forbidden` for whoever may not give rights."""
    if not may_give_rights(user):
        raise LiveError(ErrorCode.FORBIDDEN, "Only superusers give rights. Ask one of them.")


def require_operation_on(operator: User, operation: Operation, user: User) -> None:
    """As `require_operation`; and whoever works in the admin panel is changed by superusers alone.

    Else somebody who may set passwords could take over an account that may do more.
    """
    require_operation(operator, operation)
    if (user.is_staff or user.is_superuser) and user.pk != operator.pk and not may_give_rights(operator):
        raise LiveError(ErrorCode.FORBIDDEN, f"{user} works in the admin panel: only a superuser changes that account.")


def sign_in_needed() -> LiveError:
    return LiveError(ErrorCode.UNAUTHENTICATED, "Sign in, or send an API token as `Authorization: Bearer …`.")


def session_not_found() -> LiveError:
    return LiveError(
        ErrorCode.NOT_FOUND,
        "There is no such session, or you are not a member of it. Check the address, or ask its owner to add you.",
    )


def stream_not_found() -> LiveError:
    return LiveError(ErrorCode.NOT_FOUND, "There is no such stream, or it is not yours. Check the id.")


def id_of(text: str) -> UUID | None:
    """`text` as an id in its canonical form, else None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None


def _membership(user: User, ref: str) -> Member | None:
    if not ref or len(ref) > MAX_REF or not is_storable(ref):
        return None
    members = Member.objects.select_related("session").filter(user=user)
    session_id = id_of(ref)
    if session_id is not None:
        return members.filter(session_id=session_id).first()
    return members.filter(session__slug=ref).first()
