"""Tool calls that wait for somebody: what is asked for, what was decided, and how the stream goes on.

A stream that waits has no worker: `queueing.wake` sends it to one. Who may decide is `access`'s; what a decision does to the
stream is the runner's, which alone writes the log.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import access
from sessions.access import Action
from sessions.models import User
from streaming import queueing
from streaming.models import AWAITING, Stream, ToolCall, ToolCallStatus
from streaming.services import visible_stream

logger = logging.getLogger(__name__)

# Calls given up in one round of the reaper.
AT_ONCE = 100


def approve(user: User | None, stream_id: UUID, call: str, approved: bool, reason: str | None) -> None:
    """Allow a call to run, or not; once. Raises LiveError as `access` does; `conflict` where it does not wait for that."""
    visible_stream(user, stream_id, Action.APPROVE_TOOLS)
    status = ToolCallStatus.APPROVED if approved else ToolCallStatus.DENIED
    _decide(stream_id, call, ToolCallStatus.AWAITING_APPROVAL, status, user=user, reason=reason or "")


def answer(user: User | None, stream_id: UUID, call: str, output: Any, error: str | None) -> None:
    """Tell what a tool gave that runs on the client: for whoever asked, on any of their clients; once.

    Raises LiveError as `access` does; `forbidden` for others; `conflict` where the call does not wait for that.
    """
    stream = visible_stream(user, stream_id, Action.PROMPT)
    if not stream.anonymous and (user is None or stream.user_id != user.pk):
        raise LiveError(
            ErrorCode.FORBIDDEN, "Only a client of the person who asked may answer this tool call. Wait for it."
        )
    _decide(
        stream_id, call, ToolCallStatus.AWAITING_CLIENT, ToolCallStatus.ANSWERED, user=user, output=output, error=error
    )


def give_up_late() -> int:
    """Decide what nobody decided in time; returns how many. A call of a stream that has ended is only let go."""
    late = ToolCall.objects.filter(status__in=AWAITING, deadline__lt=Now()).select_related("stream")
    found = 0
    for row in late[:AT_ONCE]:
        was = ToolCallStatus(row.status)
        with transaction.atomic():
            Stream.objects.select_for_update().filter(pk=row.stream_id).first()
            still = ToolCall.objects.filter(pk=row.pk, status=was)
            if row.stream.is_over:
                still.update(status=ToolCallStatus.SETTLED)
                continue
            if was == ToolCallStatus.AWAITING_APPROVAL:
                words = f"Nobody approved it within {_minutes(settings.TOOL_APPROVAL_TIMEOUT)}."
                changed = still.update(status=ToolCallStatus.DENIED, reason=words, decided_at=timezone.now())
            else:
                words = f"No client ran it within {_minutes(settings.TOOL_CLIENT_TIMEOUT)}."
                changed = still.update(status=ToolCallStatus.ANSWERED, error=words, decided_at=timezone.now())
            if changed:
                found += 1
                logger.info("The call of %s in stream %s is given up.", row.tool, row.stream_id)
                queueing.wake(row.stream_id)
    return found


def deadline_of(status: ToolCallStatus) -> Any:
    """When a call that begins to wait so is given up."""
    approval = status == ToolCallStatus.AWAITING_APPROVAL
    limit = settings.TOOL_APPROVAL_TIMEOUT if approval else settings.TOOL_CLIENT_TIMEOUT
    return timezone.now() + timedelta(seconds=limit)


@transaction.atomic
def _decide(
    stream_id: UUID, call: str, was: ToolCallStatus, status: ToolCallStatus, *, user: User | None, **what: Any
) -> None:
    stream = Stream.objects.select_for_update().filter(pk=stream_id).first()
    if stream is None:
        raise access.stream_not_found()
    row = ToolCall.objects.select_related("user").filter(stream=stream, call=call).first()
    if row is None:
        raise LiveError(ErrorCode.NOT_FOUND, "No call with that id waits in this stream. Check the id.", field="call")
    if stream.is_over:
        raise LiveError(ErrorCode.CONFLICT, "The answer that made this call is over: nothing waits for it any more.")
    changed = ToolCall.objects.filter(pk=row.pk, status=was).update(
        status=status, decided_as=status, user=user, decided_at=timezone.now(), **what
    )
    if not changed:
        raise LiveError(ErrorCode.CONFLICT, _why_not(row, was))
    queueing.wake(stream_id)


def _why_not(row: ToolCall, wanted: ToolCallStatus) -> str:
    if row.status == ToolCallStatus.AWAITING_CLIENT:
        return "This call waits for a client to run it: send `tool.result`."
    if row.status == ToolCallStatus.AWAITING_APPROVAL:
        return "This call waits for somebody to approve it first: send `tool.approve`."
    who = f" by {row.user.name}" if row.user is not None else ""
    if row.decided_as in (ToolCallStatus.APPROVED, ToolCallStatus.DENIED):
        return f"This call was {row.decided_as} already{who}: that is done once."
    return "This call has its result already."


def _minutes(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} seconds"
    return f"{round(seconds / 60)} minutes"
