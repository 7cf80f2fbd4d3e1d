"""The verbs of invitations: make one, look at one, accept, decline, take it back.

The token is the credential: whoever has it may join, whatever their address. It is given out once, when the invitation
is made; kept is its digest. Whether somebody may invite is asked of `access` before; how the mail goes out is
`invitation_mail`'s.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import invitation_mail
from sessions.access import Action, allowed, role_of
from sessions.authentication import digest_of
from sessions.membership import add_member
from sessions.models import Invitation, InvitationUse, LiveSession, MailStatus, Member, Role, User
from sessions.rates import Rate
from sessions.services import lock
from sessions.text import is_address

TOKEN_PREFIX = "hzi_"
EXPIRES_IN = 7 * 24 * 3600
MAX_EXPIRES_IN = 365 * 24 * 3600
MAX_USES = 10_000
MAX_OPEN = 200
INVITED_ROLES = (Role.EDITOR, Role.VIEWER)

INVITES = Rate("invites", seconds=3600, option="MAX_INVITATIONS_PER_HOUR")
# Tokens have 256 random bits: this is against the load of trying, and for a quiet log.
GUESSES = Rate("invitation-guesses", seconds=600, option="MAX_WRONG_INVITATIONS_PER_10_MINUTES")


class Standing(StrEnum):
    """Whether an invitation can be accepted, or why not."""

    OPEN = "open"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DECLINED = "declined"
    ARCHIVED = "archived"


IN_WORDS: dict[Standing, str] = {
    Standing.USED_UP: "This invitation was used already, as often as it may be. Ask for a new one.",
    Standing.EXPIRED: "This invitation has expired. Ask for a new one.",
    Standing.REVOKED: "This invitation was taken back. Ask whoever sent it why, or for a new one.",
    Standing.DECLINED: "This invitation was declined. If you would like to join after all, ask for a new one.",
    Standing.ARCHIVED: "The session was archived. Its owner can open it again; then this invitation works.",
}


def invite(
    session: LiveSession,
    inviter: User,
    *,
    address: Callable[[str], str],
    email: str | None = None,
    role: str = Role.EDITOR,
    expires_in: int | None = None,
    max_uses: int | None = None,
) -> tuple[Invitation, str]:
    """A new invitation and its token. With `email` the link that `address` makes of the token is mailed there.

    An earlier open invitation to the same address ends: only the newest mail works.

    Raises LiveError: `bad_request`; `conflict` for the address of a member, in an archived session, or above MAX_OPEN;
    `rate_limited`.
    """
    if role not in INVITED_ROLES:
        raise LiveError(ErrorCode.BAD_REQUEST, "People are invited as `editor` or `viewer`.", field="role")
    seconds = _within("expires_in", expires_in, 60, MAX_EXPIRES_IN, EXPIRES_IN)
    uses = _within("max_uses", max_uses, 1, MAX_USES, 1)
    email = _address(email) if email else ""
    INVITES.spend(str(inviter.pk))
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        locked = lock(session.pk)
        if locked.archived_at is not None:
            raise LiveError(ErrorCode.CONFLICT, "This session is archived. Open it again, then invite people.")
        if email and Member.objects.filter(session=session, user__email=email).exists():
            raise LiveError(ErrorCode.CONFLICT, f"{email} is a member of this session already.", field="email")
        if email:
            open_invitations(session).filter(email=email).update(revoked_at=timezone.now())
        if open_invitations(session).count() >= MAX_OPEN:
            raise LiveError(ErrorCode.CONFLICT, f"{MAX_OPEN} invitations are open. Take some back first.")
        invitation = Invitation.objects.create(
            session=session,
            inviter=inviter,
            email=email,
            role=role,
            digest=digest_of(token),
            expires_at=timezone.now() + timedelta(seconds=seconds),
            max_uses=uses,
            mail=MailStatus.QUEUED if email else MailStatus.NONE,
        )
        if email:
            transaction.on_commit(partial(invitation_mail.queue, invitation.pk, address(token)))
    return invitation, token


def open_invitations(session: LiveSession, now: datetime | None = None) -> QuerySet[Invitation]:
    """Those that somebody could accept, were the session not archived, the newest first, with who sent them."""
    return invitations_in(session, Standing.OPEN, now)


def invitations_in(session: LiveSession, standing: Standing, now: datetime | None = None) -> QuerySet[Invitation]:
    """The session's invitations that stand so, as `standing_of` tells it, the newest first, with who sent them."""
    may_invite = Member.objects.filter(
        session=session, role__in=[role for role in Role if allowed(role, Action.INVITE)], user__is_active=True
    )
    # The first reason is the one that is told.
    stands = Case(
        When(revoked_at__isnull=False, then=Value(Standing.REVOKED)),
        When(declined_at__isnull=False, then=Value(Standing.DECLINED)),
        When(uses__gte=F("max_uses"), then=Value(Standing.USED_UP)),
        When(expires_at__lte=now or timezone.now(), then=Value(Standing.EXPIRED)),
        When(inviter__in=may_invite.values("user"), then=Value(Standing.OPEN)),
        default=Value(Standing.REVOKED),
        output_field=CharField(),
    )
    rows = Invitation.objects.filter(session=session).annotate(standing=stands).filter(standing=standing)
    return rows.select_related("inviter").order_by("-created_at", "-pk")


def ended(invitation: Invitation, now: datetime | None = None) -> Standing | None:
    """How the invitation has ended by itself or by somebody's word; None where it has not."""
    if invitation.revoked_at is not None:
        return Standing.REVOKED
    if invitation.declined_at is not None:
        return Standing.DECLINED
    if invitation.uses >= invitation.max_uses:
        return Standing.USED_UP
    return Standing.EXPIRED if invitation.expires_at <= (now or timezone.now()) else None


def standing_of(invitation: Invitation, now: datetime | None = None) -> Standing:
    """Where the invitation stands. It ends as well when who sent it may not invite any more."""
    if (how := ended(invitation, now)) is not None:
        return how
    role = role_of(invitation.inviter_id, invitation.session_id) if invitation.inviter_id else None
    if role is None or not allowed(role, Action.INVITE):
        return Standing.REVOKED
    return Standing.ARCHIVED if invitation.session.archived_at is not None else Standing.OPEN


def find(token: str, asker: str) -> Invitation:
    """The invitation with this token, in whatever standing. `asker` is the address that asks.

    Raises LiveError: `not_found`, always the same, for any other text; `rate_limited` after too many of those.
    """
    GUESSES.require(asker)
    found = Invitation.objects.select_related("session", "inviter").filter(digest=digest_of(token)).first()
    if found is None:
        GUESSES.spend(asker)
        raise invitation_not_found()
    return found


def require_open(invitation: Invitation, now: datetime | None = None) -> None:
    """Raises LiveError `conflict`, with why, for one that cannot be accepted."""
    standing = standing_of(invitation, now)
    if standing != Standing.OPEN:
        raise LiveError(ErrorCode.CONFLICT, IN_WORDS[standing])


@transaction.atomic
def accept(invitation: Invitation, user: User, now: datetime | None = None) -> Member:
    """The membership that it gives. Of several who use it the last time at once, one has it.

    Raises LiveError `conflict`: for a member; for somebody who used it before, and was removed or left; for an
    invitation that is not open (any more).
    """
    now = now or timezone.now()
    invitation.session = lock(invitation.session_id)
    if Member.objects.filter(session=invitation.session, user=user).exists():
        raise LiveError(ErrorCode.CONFLICT, "You are a member of this session already.")
    require_open(invitation, now)
    _, first_time = InvitationUse.objects.get_or_create(invitation=invitation, user=user)
    if not first_time:
        raise LiveError(
            ErrorCode.CONFLICT, "You used this invitation before. Ask an owner of the session for a new one."
        )
    taken = Invitation.objects.filter(
        pk=invitation.pk, uses__lt=F("max_uses"), revoked_at=None, declined_at=None, expires_at__gt=now
    ).update(uses=F("uses") + 1)
    if not taken:
        invitation.refresh_from_db(fields=["uses", "revoked_at", "declined_at"])
        require_open(invitation, now)
    assert invitation.inviter is not None  # else it is not open
    return add_member(invitation.session, invitation.inviter, user, Role(invitation.role))


@transaction.atomic
def decline(invitation: Invitation, now: datetime | None = None) -> None:
    """Say no. That ends an invitation for one person; one for several goes on for the others.

    Raises LiveError `conflict` for one that is not open.
    """
    now = now or timezone.now()
    require_open(invitation, now)
    if invitation.max_uses == 1:
        Invitation.objects.filter(pk=invitation.pk, uses=0, revoked_at=None).update(declined_at=now)


def revoke(session: LiveSession, invitation_id: UUID) -> None:
    """Take it back; who joined by it stays. Taking back again changes nothing. Raises LiveError `not_found`."""
    mine = Invitation.objects.filter(session=session, pk=invitation_id)
    if not mine.filter(revoked_at=None).update(revoked_at=timezone.now()) and not mine.exists():
        raise no_such_invitation()


def invitation_not_found() -> LiveError:
    """For a token."""
    return LiveError(
        ErrorCode.NOT_FOUND, "This invitation does not exist (any more). Copy the whole link, or ask for a new one."
    )


def no_such_invitation() -> LiveError:
    """For an id."""
    return LiveError(ErrorCode.NOT_FOUND, "There is no such invitation to this session. See the list of them.")


def _address(email: str) -> str:
    email = email.strip().lower()
    if not is_address(email):
        raise LiveError(ErrorCode.BAD_REQUEST, "`email` is no e-mail address; check it.", field="email")
    return email


def _within(field: str, value: int | None, least: int, most: int, default: int) -> int:
    if value is None:
        return default
    if not least <= value <= most:
        raise LiveError(ErrorCode.BAD_REQUEST, f"`{field}` is from {least:,} to {most:,}.", field=field)
    return value
