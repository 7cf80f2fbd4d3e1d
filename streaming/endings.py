"""How a stream ends: one transaction that writes the row, its reply and the one terminal event.

Not who decides that it ends: workers (`lifecycle`) and stoppers (`services`) do, each under its own condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hanzo_live.protocol import reply_parts
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import services as sessions
from sessions.models import MessageStatus, User
from sessions.outbox import Announcement, announce
from sessions.queries import user_wire
from streaming import budgets, queueing, slots
from streaming.models import TERMINAL, Stream, StreamStatus
from streaming.notices.announcing import tell_end, tell_start
from streaming.outbox import append_first

MESSAGE_STATUS = {
    StreamStatus.COMPLETE: MessageStatus.COMPLETE,
    StreamStatus.STOPPED: MessageStatus.STOPPED,
    StreamStatus.FAILED: MessageStatus.FAILED,
}


class UsageCount(TypedDict):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool


class Timings(TypedDict):
    """Milliseconds from the stream's start; None where there was no token, or too few for a speed. `thoughts_ms`: how
    long each thought took."""

    duration_ms: float
    first_token_ms: float | None
    tokens_per_second: float | None
    thoughts_ms: list[float]


NO_USAGE = UsageCount(prompt_tokens=0, completion_tokens=0, total_tokens=0, estimated=False)
NO_TIMINGS = Timings(duration_ms=0.0, first_token_ms=None, tokens_per_second=None, thoughts_ms=[])


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that is known at the end. Either `finish_reason` or `error` says why it is the end.

    What was written so far is kept whatever the reason.
    """

    finish_reason: str = ""
    error: LiveError | None = None
    content: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)
    usage: UsageCount = field(default_factory=lambda: NO_USAGE.copy())
    timings: Timings = field(default_factory=lambda: deepcopy(NO_TIMINGS))
    cached: Literal["exact", "semantic"] | None = None
    similarity: float | None = None

    @property
    def failure(self) -> dict[str, Any] | None:
        """The error as it is kept and shown: without what only its moment knows."""
        error = self.error
        if error is None:
            return None
        return {"code": error.code.value, "message": error.message, "retryable": error.retryable}

    @property
    def status(self) -> StreamStatus:
        if self.error is not None:
            return StreamStatus.FAILED
        return StreamStatus.STOPPED if self.finish_reason == "stopped" else StreamStatus.COMPLETE


def end(stream: Stream, outcome: Outcome, condition: QuerySet[Stream]) -> bool:
    """End `stream` if `condition` still holds it; False, and nothing changed, if it does not.

    The session's next queued stream is sent to the workers after commit.
    """
    with transaction.atomic():
        if stream.session_id is not None and not lock_session(stream.session_id):
            return False
        columns = _columns(outcome)
        ended = condition.filter(pk=stream.pk).exclude(status__in=TERMINAL).update(**columns)
        if not ended:
            return False
        if stream.message is not None:
            sessions.finish_reply(
                stream.message,
                content=outcome.content,
                parts=columns["parts"],
                status=MESSAGE_STATUS[outcome.status],
                finish_reason=outcome.finish_reason,
            )
        announce(stream.log, _terminal_event(stream, outcome))
        tell_end(stream)
        if not outcome.cached:
            budgets.count(stream.user, outcome.usage["total_tokens"])
        if stream.session_id is not None and (following := queueing.take_next(stream.session_id)):
            transaction.on_commit(partial(queueing.send, following))
        transaction.on_commit(slots.fill)
    return True


def insert_ended(stream: Stream, outcome: Outcome, begun: Sequence[Announcement]) -> None:
    """Insert a stream of its own that is over as it begins, after all of it (`begun`, then its end) is on its log.

    Raises LogUnavailable; IntegrityError where its key was used: then nobody hears of the log.
    """
    append_first(stream.log, *begun, _terminal_event(stream, outcome))
    for name, value in _columns(outcome).items():
        setattr(stream, name, value)
    with transaction.atomic():
        stream.save(force_insert=True)
        tell_start(stream, model=stream.model, node=stream.node)
        tell_end(stream)


def _columns(outcome: Outcome) -> dict[str, Any]:
    """What an ending writes into the stream's row."""
    return {
        "status": outcome.status,
        "content": outcome.content,
        "parts": [*outcome.parts, *reply_parts((), (), outcome.failure)],
        "finish_reason": outcome.finish_reason,
        "usage": outcome.usage,
        "timings": outcome.timings,
        "error": outcome.failure,
        "ended_at": timezone.now(),
    }


def lock_session(session_id: UUID) -> bool:
    """Lock the session, so that whoever asks there meanwhile sees its streams as they will be; False when it is gone."""
    try:
        sessions.lock(session_id)
    except LiveError as error:
        if error.code != ErrorCode.NOT_FOUND:
            raise
        return False  # deleted, and its streams with it
    return True


def _terminal_event(stream: Stream, outcome: Outcome) -> Announcement:
    id = str(stream.pk)
    if (error := outcome.error) is not None:
        body: dict[str, Any] = {
            "code": error.code.value,
            "message": error.message,
            "retryable": error.retryable,
            "partial": bool(outcome.content or outcome.parts),
            "usage": outcome.usage,
            "thoughts_ms": outcome.timings["thoughts_ms"],
        }
        return Announcement("error", body, id)
    body = {
        "finish_reason": outcome.finish_reason,
        "stopped_by": _stopper(stream.pk) if outcome.status == StreamStatus.STOPPED else None,
        "usage": outcome.usage,
        **outcome.timings,
        "cached": outcome.cached,
        "similarity": outcome.similarity,
        "message": str(stream.message) if stream.message else None,
    }
    return Announcement("complete", body, id)


def _stopper(stream_id: UUID) -> dict[str, Any] | None:
    by = Stream.objects.filter(pk=stream_id).values_list("stopped_by", flat=True).first()
    user = by and User.objects.filter(pk=by).first()
    return user_wire(user) if user else None
