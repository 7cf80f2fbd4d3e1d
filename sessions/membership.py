"""The verbs that change who is in a session. Each is one transaction and announces one `member` event.

A session always keeps an owner. Whether the actor may do it is asked of `access` before.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import LiveSession, Member, Role, User
from sessions.outbox import Announcement, announce
from sessions.queries import user_wire
from sessions.services import lock

MAX_MEMBERS = 1_000


def find_account(*, user_id: UUID | None = None, email: str | None = None) -> User:
    """The active account with that id or e-mail address. Raises LiveError `not_found`."""
    accounts = User.objects.filter(is_active=True)
    found = (
        accounts.filter(pk=user_id).first() if user_id else accounts.filter(email=(email or "").strip().lower()).first()
    )
    if found is None:
        field = "user" if user_id else "email"
        raise LiveError(
            ErrorCode.NOT_FOUND, "Nobody here has an account under that name; ask them to sign up first.", field=field
        )
    return found


@transaction.atomic
def add_member(session: LiveSession, actor: User, user: User, role: Role) -> Member:
    """The new membership of `user`. Raises LiveError `conflict` for a member, or in a full session."""
    locked = lock(session.pk)
    if Member.objects.filter(session=session, user=user).exists():
        raise LiveError(ErrorCode.CONFLICT, f"{user} is a member of this session already.", field="user")
    if Member.objects.filter(session=session).count() >= MAX_MEMBERS:
        raise LiveError(ErrorCode.CONFLICT, f"A session has at most {MAX_MEMBERS:,} members; remove somebody first.")
    # What was said before they came is not unread: they may read it, and nobody waits for that.
    member = Member.objects.create(session=session, user=user, role=role, last_read_n=locked.last_n)
    _announce(session, "joined", member)
    return member


@transaction.atomic
def set_role(session: LiveSession, actor: User, user_id: UUID, role: Role) -> Member:
    """The membership with its new role. Raises LiveError `not_found`, or `conflict` for the last owner."""
    lock(session.pk)
    member = _member(session, user_id)
    if member.role != role:
        if member.role == Role.OWNER:
            _require_another_owner(member)
        member.role = role
        member.save(update_fields=["role"])
        _announce(session, "role", member)
    return member


@transaction.atomic
def remove_member(session: LiveSession, actor: User, user_id: UUID) -> None:
    """End a membership: `left` where the actor is that member, else `removed`. Raises as `set_role` does."""
    lock(session.pk)
    member = _member(session, user_id)
    if member.role == Role.OWNER:
        _require_another_owner(member)
    Member.objects.filter(pk=member.pk).delete()
    _announce(session, "left" if actor.pk == member.user_id else "removed", member)


def member_not_found() -> LiveError:
    return LiveError(ErrorCode.NOT_FOUND, "There is no such member in this session. See the list of its members.")


def _member(session: LiveSession, user_id: UUID) -> Member:
    member = Member.objects.select_related("user").filter(session=session, user_id=user_id).first()
    if member is None:
        raise member_not_found()
    return member


def _require_another_owner(member: Member) -> None:
    others = Member.objects.filter(session_id=member.session_id, role=Role.OWNER, user__is_active=True).exclude(
        pk=member.pk
    )
    if not others.exists():
        raise LiveError(
            ErrorCode.CONFLICT, "A session needs an owner. Make somebody else owner first, or delete the session."
        )


def _announce(session: LiveSession, action: str, member: Member) -> None:
    body = {"action": action, "user": user_wire(member.user), "role": str(member.role)}
    announce(session.log, Announcement("member", body))
