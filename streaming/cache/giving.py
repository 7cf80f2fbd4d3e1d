"""Giving a stream an answer from the cache: begun, written and ended in one transaction.

All of it goes the outbox's way, so that a process that dies after the commit leaves nothing half said. Mostly that is the
transaction that asks, and no worker and no task are needed.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from hanzo_live.protocol import reply_parts
from sessions.outbox import Announcement, announce
from streaming import metrics, queueing
from streaming.beginnings import start_event
from streaming.cache.answer import Found
from streaming.endings import Outcome, Timings, end, insert_ended, lock_session
from streaming.models import Stream, StreamStatus
from streaming.notices.announcing import tell_start

# Characters of one event of the log. What watches merges them again.
PIECE = 16_000


def give(stream: Stream, found: Found, began: float) -> None:
    """Insert `stream`, answered from the cache. `began` by time.monotonic().

    Within a transaction, which in a session holds its lock; what is announced is on the log after the commit.
    """
    for name, value in _beginning(found).items():
        setattr(stream, name, value)
    begun, outcome = _begun(stream, found), _outcome(found, began)
    if stream.session_id is None:
        insert_ended(stream, outcome, begun)
    else:
        stream.save(force_insert=True)
        announce(stream.log, *begun)
        end(stream, outcome, Stream.objects.filter(status=StreamStatus.QUEUED))
    metrics.STREAMS.labels(outcome.status.value).inc()


def give_queued(stream: Stream, found: Found, began: float) -> bool:
    """As `give`, to one that waits in its session; False where it does not any more, or it is not its turn."""
    assert stream.session_id is not None
    columns = _beginning(found)
    with transaction.atomic():
        if not lock_session(stream.session_id) or not queueing.is_next(stream):
            return False
        waits = Stream.objects.filter(status=StreamStatus.QUEUED, fence=stream.fence)
        if not waits.filter(pk=stream.pk).update(**columns):
            return False
        for name, value in columns.items():
            setattr(stream, name, value)
        outcome = _outcome(found, began)
        announce(stream.log, *_begun(stream, found))
        end(stream, outcome, waits)
    metrics.STREAMS.labels(outcome.status.value).inc()
    return True


def _beginning(found: Found) -> dict[str, Any]:
    """What a beginning writes into the stream's row."""
    answer = found.answer
    return {"model": answer.model, "node": answer.node, "cached": found.how, "started_at": timezone.now()}


def _begun(stream: Stream, found: Found) -> list[Announcement]:
    """All but the end, with which others are told of the start, too."""
    model, node = found.answer.model, found.answer.node
    tell_start(stream, model=model, node=node)
    start = start_event(stream, model, node, cached=found.how)
    return [Announcement("stream_start", start, str(stream.pk)), *_written(stream, found)]


def _outcome(found: Found, began: float) -> Outcome:
    answer, thoughts_ms = found.answer, list(found.answer.thoughts_ms)
    elapsed_ms = round((time.monotonic() - began) * 1000, 1)
    return Outcome(
        finish_reason="stop",
        content=answer.content,
        parts=reply_parts(answer.thoughts, (), thoughts_ms=thoughts_ms),
        usage=answer.usage,
        timings=Timings(
            duration_ms=elapsed_ms, first_token_ms=elapsed_ms, tokens_per_second=None, thoughts_ms=thoughts_ms
        ),
        cached=found.how,
        similarity=found.similarity,
    )


def _written(stream: Stream, found: Found) -> list[Announcement]:
    """The answer as events of its stream: thoughts, then text, each piece with its share of the tokens."""
    id, answer = str(stream.pk), found.answer
    written = [
        Announcement("thought", {"step": step, "data": piece, "n": 1}, id)
        for step, thought in enumerate(answer.thoughts)
        for piece in _pieces(thought)
    ]
    pieces = _pieces(answer.content)
    tokens = max(len(pieces), answer.usage["completion_tokens"])
    for number, piece in enumerate(pieces):
        n = tokens * (number + 1) // len(pieces) - tokens * number // len(pieces)
        written.append(Announcement("token", {"data": piece, "n": n}, id))
    return written


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
