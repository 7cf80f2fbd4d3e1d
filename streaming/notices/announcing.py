"""Writing down what is to be told, in the transaction of the change, so that none is lost; and sending it on its way."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from sessions.iam.accounts import tenant_of
from sessions.queries import time_wire
from streaming.models import Notice, Stream
from streaming.notices import delivering
from streaming.notices.events import SIGNALS, EventType, StreamEvent


def destinations(type: EventType) -> list[str]:
    """Where an event of that type goes: the operator's addresses, and "" where receivers listen in this process."""
    here = [""] if SIGNALS[type].has_listeners(Stream) else []
    return [*here, *settings.WEBHOOK_URLS]


def tell_start(stream: Stream, *, model: str, node: str) -> None:
    """A stream begins. To be called in the transaction in which it does."""
    _tell("stream_start", stream, model, node)


def tell_end(stream: Stream) -> None:
    """A stream is over, or had been before it began. To be called in the transaction that ends it; reads the row."""
    if not destinations("stream_complete") and not destinations("stream_error"):
        return
    row = Stream.objects.select_related("user").defer("request", "content", "parts").get(pk=stream.pk)
    _tell("stream_error" if row.error else "stream_complete", row, row.model, row.node)


def _tell(type: EventType, stream: Stream, model: str, node: str) -> None:
    places = destinations(type)
    if not places:
        return
    body = _event(type, stream, model, node).wire()
    rows = Notice.objects.bulk_create(Notice(url=url, body=body) for url in places)
    for row in rows:
        transaction.on_commit(partial(delivering.set_off, row), robust=True)


def _event(type: EventType, stream: Stream, model: str, node: str) -> StreamEvent:
    usage, timings, error = stream.usage or {}, stream.timings or {}, stream.error or {}
    ended = type != "stream_start"
    return StreamEvent(
        id=str(uuid4()),
        type=type,
        at=time_wire(timezone.now()),
        stream=str(stream.pk),
        session=str(stream.session_id) if stream.session_id else None,
        user=str(stream.user_id) if stream.user_id else None,
        tenant=tenant_of(stream.user) if stream.user else None,
        model=model,
        requested_model=stream.requested_model or None,
        node=node,
        status=str(stream.status) if ended else None,
        finish_reason=stream.finish_reason or None,
        error=error.get("code"),
        retryable=error.get("retryable"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        total_tokens=usage.get("total_tokens"),
        tokens_estimated=usage.get("estimated"),
        duration_ms=timings.get("duration_ms"),
        first_token_ms=timings.get("first_token_ms"),
        tokens_per_second=timings.get("tokens_per_second"),
        cached=stream.cached or None,
    )
