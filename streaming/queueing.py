"""Getting a stream to a worker: one task each, and in a session one stream at a time, in the order of asking.

A task that is lost on the way costs seconds, not the stream: the reaper sends again what nobody took.
"""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from streaming.models import OPEN, Stream, StreamStatus

logger = logging.getLogger(__name__)

RUN_STREAM = "streaming.run_stream"

# Streams that may wait in one session.
MAX_QUEUED = 20


def send(stream_id: UUID) -> None:
    """Send the stream's task to the workers. Blocks for the broker: never call it on an event loop.

    By name, so that a web process need not load what only workers run.
    """
    try:
        current_app.send_task(RUN_STREAM, args=[str(stream_id)], ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached; stream %s waits until it is back: %s", stream_id, error)


def wake(stream_id: UUID) -> None:
    """Send a stream that waits for a person to the workers; one that does not is let alone. Within a transaction."""
    waiting = Stream.objects.filter(pk=stream_id, status=StreamStatus.WAITING)
    stream = waiting.only("waiting_since", "waited_s").first()
    if stream is None:
        return
    now = timezone.now()
    waited = (now - stream.waiting_since).total_seconds() if stream.waiting_since else 0.0
    waiting.update(
        status=StreamStatus.RECOVERING,
        waiting_since=None,
        waited_s=stream.waited_s + max(0.0, waited),
        enqueued_at=now,
    )
    transaction.on_commit(partial(send, stream_id))


def open_streams(session_id: UUID) -> QuerySet[Stream]:
    """The session's streams that have not ended, first asked first."""
    return Stream.objects.filter(session_id=session_id, status__in=OPEN).order_by("created_at", "id")


def is_next(stream: Stream) -> bool:
    """Whether it is this queued stream's turn. To be called under the session row's lock."""
    head = open_streams(stream.session_id).only("id").first() if stream.session_id else stream
    return head is not None and head.pk == stream.pk


def take_next(session_id: UUID) -> UUID | None:
    """The queued stream whose turn it is, marked as sent, or None while another is being written.

    To be called under the session row's lock, and followed by `send` after commit.
    """
    head = open_streams(session_id).only("id", "status").first()
    if head is None or head.status != StreamStatus.QUEUED:
        return None
    Stream.objects.filter(pk=head.pk).update(enqueued_at=timezone.now())
    return head.pk
