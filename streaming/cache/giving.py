"""Giving a stream an answer from the cache: begun, written and ended in the transaction that asks for it.

All of it goes the outbox's way, so that a process that dies after the commit leaves nothing half said; no worker and no
task are needed.
"""

from __future__ import annotations

import time

from django.utils import timezone

from hanzo_live.protocol import reply_parts
from sessions.outbox import Announcement, announce
from streaming import metrics
from streaming.beginnings import start_event
from streaming.cache.answer import Found
from streaming.endings import Outcome, Timings, end
from streaming.models import Stream, StreamStatus
from streaming.notices.announcing import tell_start

# Characters of one event of the log. What watches merges them again.
PIECE = 16_000


def mark(stream: Stream, found: Found) -> None:
    """Note on a row that is to be inserted what it is answered with."""
    stream.model, stream.node, stream.cached = found.answer.model, found.answer.node, found.how
    stream.started_at = timezone.now()


def give(stream: Stream, found: Found, began: float) -> None:
    """Answer the queued `stream`, which was marked, from the cache. `began` by time.monotonic().

    Within the transaction that inserted it; what is announced is on the log after the commit.
    """
    answer = found.answer
    start = start_event(stream, answer.model, answer.node, cached=found.how)
    tell_start(stream, model=answer.model, node=answer.node)
    announce(stream.log, Announcement("stream_start", start, str(stream.pk)), *_written(stream, found))
    thoughts_ms = list(answer.thoughts_ms)
    elapsed = round((time.monotonic() - began) * 1000, 1)
    outcome = Outcome(
        finish_reason="stop",
        content=answer.content,
        parts=reply_parts(answer.thoughts, (), thoughts_ms=thoughts_ms),
        usage=answer.usage,
        timings=Timings(duration_ms=elapsed, first_token_ms=elapsed, tokens_per_second=None, thoughts_ms=thoughts_ms),
        cached=found.how,
        similarity=found.similarity,
    )
    end(stream, outcome, Stream.objects.filter(status=StreamStatus.QUEUED))
    metrics.STREAMS.labels(outcome.status.value).inc()


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
