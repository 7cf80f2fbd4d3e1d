"""Streams in pages and in the wire's shapes. Who may see them was asked before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from sessions.models import Message, User
from sessions.positions import Order, Page, page_of
from sessions.queries import message_wire, messages_of, time_wire, user_wire
from streaming import queueing
from streaming.models import AWAITING, Stream, StreamStatus, ToolCall

# As queries name them; `-`: the newest first.
STREAM_ORDERS = {"-created_at": Order("created_at"), "created_at": Order("created_at", falling=False)}


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """Which of some streams: `model` was asked for or ran, `after` is in it and `before` is not."""

    status: str | None = None
    model: str | None = None
    user_id: UUID | None = None
    after: datetime | None = None
    before: datetime | None = None
    order: str = "-created_at"


def streams_of(session_id: UUID, *, after_n: int | None = None, before_n: int | None = None) -> QuerySet[Stream]:
    """The session's streams; with a bound, those of the answers among its messages after or before that number."""
    if after_n is None and before_n is None:
        return Stream.objects.filter(session=session_id)
    answers = Message.objects.filter(session=session_id, stream__isnull=False)
    if after_n is not None:
        answers = answers.filter(n__gt=after_n)
    if before_n is not None:
        answers = answers.filter(n__lt=before_n)
    # By id alone: told of the session too, SQLite would walk all of its streams for those of a page.
    return Stream.objects.filter(pk__in=answers.values("stream"))


def stream_page(
    streams: QuerySet[Stream],
    limit: int,
    cursor: str | None = None,
    which: StreamFilter = StreamFilter(),
    *,
    content: bool = True,
) -> Page[Stream]:
    """These streams in the order of `which`. Raises LiveError `bad_request` for a cursor that is not ours."""
    # A prompt with its history is long, and nothing of it is shown.
    rows = streams.defer("request", "parts", *([] if content else ["content"]))
    if which.status is not None:
        rows = rows.filter(status=which.status)
    if which.model is not None:
        rows = rows.filter(Q(model=which.model) | Q(requested_model=which.model))
    if which.user_id is not None:
        rows = rows.filter(user_id=which.user_id)
    if which.after is not None:
        rows = rows.filter(created_at__gte=which.after)
    if which.before is not None:
        rows = rows.filter(created_at__lt=which.before)
    return page_of(rows, STREAM_ORDERS[which.order], limit, cursor)


def queue_of(session_id: UUID) -> list[dict[str, Any]]:
    """The session's open streams with their prompts, first asked first: never more than may wait, in three queries."""
    streams = list(queueing.open_streams(session_id).only("id", "status", "message", "created_at"))
    replies = dict(Message.objects.filter(pk__in=[stream.message for stream in streams]).values_list("pk", "n"))
    prompts = {
        prompt.n + 1: prompt for prompt in messages_of(session_id).filter(n__in=[n - 1 for n in replies.values()])
    }
    found = []
    for position, stream in enumerate(streams):
        prompt = prompts.get(replies.get(stream.message, 0)) if stream.message else None
        found.append(
            {
                "stream": str(stream.pk),
                "position": position,
                "status": stream.status,
                "prompt": message_wire(prompt) if prompt else None,
                "reply": str(stream.message) if stream.message else None,
                "created_at": time_wire(stream.created_at),
            }
        )
    return found


def streams_wire(streams: Sequence[Stream], *, content: bool = True) -> list[dict[str, Any]]:
    """Streams as REST shows them, with who stopped them, in one query. `content` is what was saved: of a running one,
    read the events."""
    waiting = [stream.pk for stream in streams if stream.status == StreamStatus.WAITING]
    calls: dict[UUID, list[dict[str, Any]]] = {}
    for row in ToolCall.objects.filter(stream__in=waiting, status__in=AWAITING).order_by("id") if waiting else ():
        calls.setdefault(row.stream_id, []).append(_call_wire(row))
    stoppers = {stream.stopped_by for stream in streams if stream.status == StreamStatus.STOPPED and stream.stopped_by}
    people = User.objects.in_bulk(stoppers) if stoppers else {}
    return [{**_stream_wire(stream, people, content), "waits_for": calls.get(stream.pk, [])} for stream in streams]


def _call_wire(row: ToolCall) -> dict[str, Any]:
    return {"call": row.call, "tool": row.tool, "status": row.status, "deadline": time_wire(row.deadline)}


def _stream_wire(stream: Stream, people: dict[UUID, User], content: bool) -> dict[str, Any]:
    stopper = people.get(stream.stopped_by) if stream.stopped_by else None
    return {
        "id": str(stream.pk),
        "session": str(stream.session_id) if stream.session_id else None,
        "message": str(stream.message) if stream.message else None,
        "log": stream.log,
        "status": stream.status,
        "content": stream.content if content else None,
        "usage": stream.usage,
        "finish_reason": stream.finish_reason or None,
        "stopped_by": user_wire(stopper) if stopper else None,
        "error": stream.error,
        "model": stream.model or None,
        "requested_model": stream.requested_model or None,
        "node": stream.node or None,
        "timings": stream.timings,
        "cached": stream.cached or None,
        "created_at": time_wire(stream.created_at),
        "ended_at": time_wire(stream.ended_at) if stream.ended_at else None,
    }
