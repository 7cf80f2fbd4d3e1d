"""What operators do to sessions and what belongs to them, whatever their role there: asked of `access`, done by the same
verbs as everybody's, and written into the audit log, in one transaction each.

What they do to users is `user_operations`; to streams, `streaming.operations`.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.dispatch import Signal

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import authentication, invitations, membership, services
from sessions.access import Operation, require_operation
from sessions.audit import Operator, record
from sessions.models import ApiToken, AuditAction, Invitation, LiveSession, Member, Message, Role

# Sent within the transaction, with `session` and `user`: whoever has work under way in the session ends it.
session_ending = Signal()


@transaction.atomic
def end_session(operator: Operator, session: LiveSession) -> None:
    """Stop what is being written and archive the session. Raises LiveError `forbidden`, or `conflict` for an ended one."""
    require_operation(operator.user, Operation.END_SESSION)
    if services.lock(session.pk).archived_at is not None:
        raise LiveError(ErrorCode.CONFLICT, "This session has ended already.")
    session_ending.send(sender=None, session=session, user=operator.user)
    services.update_session(session, operator.user, archived=True)
    record(operator, AuditAction.SESSION_END, session, session=session.pk)


@transaction.atomic
def reopen_session(operator: Operator, session: LiveSession) -> None:
    """Let it be written in again. Raises LiveError `forbidden`, or `conflict` for one that has not ended."""
    require_operation(operator.user, Operation.END_SESSION)
    if services.lock(session.pk).archived_at is None:
        raise LiveError(ErrorCode.CONFLICT, "This session has not ended.")
    services.update_session(session, operator.user, archived=False)
    record(operator, AuditAction.SESSION_REOPEN, session, session=session.pk)


@transaction.atomic
def delete_session(operator: Operator, session: LiveSession) -> None:
    """Delete the session and all that was said in it. Raises LiveError `forbidden` or `not_found`."""
    require_operation(operator.user, Operation.DELETE_SESSION)
    record(operator, AuditAction.SESSION_DELETE, session, session=session.pk, messages=session.last_n)
    services.delete_session(session)


@transaction.atomic
def change_role(operator: Operator, member: Member, role: Role) -> None:
    """Raises LiveError `forbidden`, `not_found`, or `conflict` for the last owner."""
    require_operation(operator.user, Operation.CHANGE_ROLE)
    before = str(member.role)
    membership.set_role(member.session, operator.user, member.user_id, role)
    record(
        operator, AuditAction.MEMBER_ROLE, member, session=member.session_id,
        user=member.user_id, before=before, after=str(role),
    )  # fmt: skip


@transaction.atomic
def remove_member(operator: Operator, member: Member) -> None:
    """Raises LiveError `forbidden`, `not_found`, or `conflict` for the last owner."""
    require_operation(operator.user, Operation.REMOVE_MEMBER)
    record(
        operator, AuditAction.MEMBER_REMOVE, member, session=member.session_id,
        user=member.user_id, role=str(member.role),
    )  # fmt: skip
    membership.remove_member(member.session, operator.user, member.user_id)


@transaction.atomic
def revoke_invitation(operator: Operator, invitation: Invitation) -> None:
    """Raises LiveError `forbidden`, or `conflict` for one that was revoked."""
    require_operation(operator.user, Operation.REVOKE_INVITATION)
    if invitation.revoked_at is not None:
        raise LiveError(ErrorCode.CONFLICT, "This invitation was revoked already.")
    invitations.revoke(invitation.session, invitation.pk)
    record(operator, AuditAction.INVITATION_REVOKE, invitation, session=invitation.session_id)


@transaction.atomic
def revoke_token(operator: Operator, token: ApiToken) -> None:
    """End the token and the sockets that stand on it. Raises LiveError `forbidden`, or `conflict` for a revoked one."""
    require_operation(operator.user, Operation.REVOKE_TOKEN)
    if token.revoked_at is not None:
        raise LiveError(ErrorCode.CONFLICT, "This token was revoked already.")
    authentication.revoke_token(token.user, token.pk)
    record(operator, AuditAction.TOKEN_REVOKE, token, user=token.user_id, email=token.user.email)


@transaction.atomic
def read_transcript(operator: Operator, session: LiveSession, messages: Collection[Message]) -> None:
    """Note that the operator is shown `messages` of the session. Raises LiveError `forbidden`."""
    require_operation(operator.user, Operation.READ_TRANSCRIPT)
    numbers = [message.n for message in messages]
    span = {"first": min(numbers), "last": max(numbers)} if numbers else {}
    record(operator, AuditAction.TRANSCRIPT_READ, session, session=session.pk, **span)


@transaction.atomic
def export_transcripts(operator: Operator, sessions: Collection[LiveSession], form: str) -> None:
    """Note that the operator takes all that was said in `sessions` along. Raises LiveError `forbidden`."""
    require_operation(operator.user, Operation.EXPORT_TRANSCRIPT)
    for session in sessions:
        record(operator, AuditAction.TRANSCRIPT_EXPORT, session, session=session.pk, format=form)
