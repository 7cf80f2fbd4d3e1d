"""Giving a stream an answer from the cache: begun, written and ended at once. Mostly no worker and no task are needed.

In a session it is one transaction and goes the outbox's way, so that a process that dies after the commit leaves nothing half
said. A stream of its own has a log of its own, that nobody may read before the row is there: so that is written first.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from hanzo_live.protocol import reply_parts
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.outbox import Announcement, announce
from streaming import metrics, queueing
from streaming.beginnings import start_event
from streaming.cache.answer import Found
from streaming.endings import Outcome, Timings, end, insert_ended, lock_session
from streaming.log import LogUnavailable
from streaming.models import Stream, StreamStatus
from streaming.notices.announcing import tell_start

# Characters of one event of the log. What watches merges them again.
PIECE = 16_000


def give_alone(stream: Stream, found: Found, began: float) -> None:
    """Insert `stream`, which is of no session, answered from the cache. `began` by time.monotonic().

    Not within a transaction: a lock would be held while Redis is asked. Raises IntegrityError where its key was used, LiveError
    `busy` where Redis was lost just now.
    """
    for name, value in _beginning(found).items():
        setattr(stream, name, value)
    outcome = _outcome(found, began)
    try:
        insert_ended(stream, outcome, _written(stream, found))
    except LogUnavailable as error:
        raise LiveError(
            ErrorCode.BUSY,
            "The answer was found and could not be brought to you. Ask again in a moment.",
            retry_after=1,
        ) from error
    metrics.STREAMS.labels(outcome.status.value).inc()


def give(stream: Stream, found: Found, began: float) -> None:
    """Insert `stream`, answered from the cache, in its session. `began` by time.monotonic().

    Within a transaction that holds the session's lock; what is announced is on the log after the commit.
    """
    for name, value in _beginning(found).items():
        setattr(stream, name, value)
    outcome = _outcome(found, began)
    stream.save(force_insert=True)
    _write(stream, found)
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
        _write(stream, found)
        end(stream, outcome, waits)
    metrics.STREAMS.labels(outcome.status.value).inc()
    return True


def _beginning(found: Found) -> dict[str, Any]:
    """What a beginning writes into the stream's row."""
    answer = found.answer
    return {"model": answer.model, "node": answer.node, "cached": found.how, "started_at": timezone.now()}


def _write(stream: Stream, found: Found) -> None:
    """All but the end."""
    tell_start(stream, model=found.answer.model, node=found.answer.node)
    announce(stream.log, *_written(stream, found))


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
    """The start and the answer as events of the stream: thoughts, then text, each piece with its share of the tokens."""
    id, answer = str(stream.pk), found.answer
    written = [Announcement("stream_start", start_event(stream, answer.model, answer.node, cached=found.how), id)]
    written += [
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
