"""Bringing what was written down where it goes, each row at least once, until it arrives or is given up.

A row's `due_at` is when somebody may try next: who takes it moves that on, so that one tries at a time, and what a
process that died had taken is tried again.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from streaming import metrics
from streaming.models import Notice, Stream
from streaming.notices.events import SIGNALS, StreamEvent
from streaming.notices.webhook import Refused, send

logger = logging.getLogger(__name__)

# 2 s, 4 s, 8 s … 30 minutes: a receiver that is gone is waited for, for about four hours in all.
MAX_ATTEMPTS = 18
FIRST_WAIT_S = 2
LONGEST_WAIT_S = 1_800
MAX_ANSWER = 300
# Longer than one attempt may take.
TAKEN_S = 60
# A row that lies this long after it was due has lost its task.
LOST_AFTER = timedelta(seconds=30)
SWEPT_AT_ONCE = 500
# How long what was given up is kept.
KEPT = timedelta(days=7)


def set_off(notice: Notice) -> None:
    """See to it that a new row is delivered: by receivers here and now, by webhook in a task."""
    if notice.url:
        _queue(notice.pk)
    else:
        deliver(notice.pk)


def deliver(pk: int) -> int | None:
    """Try once; returns the seconds to wait before the next try, or None where there is to be none.

    None as well for a row that is delivered, or that somebody else has taken.
    """
    taken = Notice.objects.filter(pk=pk, due_at__lte=Now(), given_up_at=None).update(
        due_at=Now() + timedelta(seconds=TAKEN_S), attempts=F("attempts") + 1
    )
    notice = Notice.objects.filter(pk=pk).first() if taken else None
    if notice is None:
        return None
    event = StreamEvent(**notice.body)
    try:
        _bring(event, notice.url)
    except Refused as refused:
        return _wait(notice, event, refused)
    notice.delete()
    if notice.url:
        metrics.WEBHOOKS.labels("sent").inc()
    return None


def sweep() -> int:
    """Set off again what lies; returns how much that was. What was given up long ago is deleted."""
    Notice.objects.filter(given_up_at__lt=Now() - KEPT).delete()
    lying = Notice.objects.filter(due_at__lt=Now() - LOST_AFTER, given_up_at=None)
    rows = list(lying.order_by("due_at")[:SWEPT_AT_ONCE])
    for row in rows:
        set_off(row)
    return len(rows)


def again(pk: int) -> bool:
    """Try anew what was given up, as often as at first; False where it was not, or is gone. Within a transaction."""
    reopened = Notice.objects.filter(pk=pk, given_up_at__isnull=False).update(
        given_up_at=None, attempts=0, due_at=Now()
    )
    if reopened:
        transaction.on_commit(lambda: set_off(Notice.objects.get(pk=pk)), robust=True)
    return bool(reopened)


def place_of(notice: Notice) -> str:
    """Where it goes, for people: not the whole address, which may hold a credential."""
    return urlsplit(notice.url).hostname or ""


def _bring(event: StreamEvent, url: str) -> None:
    if url:
        send(url, settings.WEBHOOK_SECRET, event, allow_private=settings.WEBHOOK_ALLOW_PRIVATE)
        return
    for receiver, answer in SIGNALS[event.type].send_robust(sender=Stream, event=event):
        if isinstance(answer, Exception):
            logger.error("%r failed to take %s.", receiver, event.type, exc_info=answer)


def _wait(notice: Notice, event: StreamEvent, refused: Refused) -> int | None:
    host = place_of(notice)
    said = str(refused).replace("\0", "")[:MAX_ANSWER]
    if refused.final or notice.attempts >= MAX_ATTEMPTS:
        logger.warning("%s of stream %s is not told to %s: %s", event.type, event.stream, host, refused)
        Notice.objects.filter(pk=notice.pk).update(given_up_at=Now(), last_answer=said)
        metrics.WEBHOOKS.labels("given_up").inc()
        return None
    seconds: int = min(FIRST_WAIT_S * 2 ** (notice.attempts - 1), LONGEST_WAIT_S)
    Notice.objects.filter(pk=notice.pk).update(due_at=Now() + timedelta(seconds=seconds), last_answer=said)
    logger.info("%s of stream %s could not be told to %s: %s", event.type, event.stream, host, refused)
    metrics.WEBHOOKS.labels("failed").inc()
    return seconds


def _queue(pk: int) -> None:
    from streaming.tasks import deliver_notice

    try:
        deliver_notice.apply_async(args=[pk], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached; a webhook waits until it is back: %s", error)
