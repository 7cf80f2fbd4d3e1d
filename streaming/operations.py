"""What operators do to streams, whatever their role in the session: asked of `access`, done by the same verb as
everybody's, and written into the audit log, in one transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.access import Operation, require_operation
from sessions.audit import Operator, record
from sessions.models import AuditAction, LiveSession, User
from sessions.operations import session_ending
from streaming import queueing, services
from streaming.models import Stream


def connect() -> None:
    """Stop a session's streams when an operator ends it."""
    session_ending.connect(_stop_all, dispatch_uid="streaming.operations")


@transaction.atomic
def stop_stream(operator: Operator, stream: Stream) -> None:
    """Stop it; its members see who did. Raises LiveError `forbidden`, or `conflict` for one that is over."""
    require_operation(operator.user, Operation.STOP_STREAM)
    if stream.is_over:
        raise LiveError(ErrorCode.CONFLICT, "This stream is over already.")
    services.stop(stream.pk, operator.user)
    record(operator, AuditAction.STREAM_STOP, stream, session=stream.session_id, model=stream.model)


def _stop_all(sender: Any, session: LiveSession, user: User, **_: Any) -> None:
    # The newest first: else the end of one would send the next to the workers.
    for stream in reversed(queueing.open_streams(session.pk)):
        services.stop(stream.pk, user)
