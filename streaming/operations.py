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
from streaming.cache.purging import purge
from streaming.models import Notice, Stream
from streaming.notices import delivering


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


@transaction.atomic
def purge_cache(operator: Operator, stream: Stream, what: str) -> None:
    """Take out of the cache what is like this stream in `what`: its `user`, `session` or `model`.

    Raises LiveError `forbidden`, `bad_request` where the stream has none of that, or `busy` without Redis.
    """
    require_operation(operator.user, Operation.PURGE_CACHE)
    # Written first: what cannot be written down is not done.
    entry = {"what": what, "model": stream.model, "user": stream.user_id}
    record(operator, AuditAction.CACHE_PURGE, stream, session=stream.session_id, **entry)
    if what == "user" and stream.user_id is not None:
        purge(user=stream.user_id)
    elif what == "session" and stream.session_id is not None:
        purge(session=stream.session_id)
    elif what == "model" and stream.model:
        purge(model=stream.model)
    else:
        raise LiveError(ErrorCode.BAD_REQUEST, f"This stream has no {what}; choose something else.")


@transaction.atomic
def retry_notice(operator: Operator, notice: Notice) -> None:
    """Send a notice again that was given up. Raises LiveError `forbidden`, or `conflict` for one that was not."""
    require_operation(operator.user, Operation.RETRY_NOTICE)
    if not delivering.again(notice.pk):
        raise LiveError(ErrorCode.CONFLICT, "This notice is not given up: it is tried again by itself.")
    record(operator, AuditAction.NOTICE_RETRY, notice, type=notice.body["type"], to=delivering.place_of(notice))


def _stop_all(sender: Any, session: LiveSession, user: User, **_: Any) -> None:
    # The newest first: else the end of one would send the next to the workers.
    for stream in reversed(queueing.open_streams(session.pk)):
        services.stop(stream.pk, user)
