"""Finding streams that nobody carries: their worker died, or their task was lost. Every worker looks, each second.

Each find is taken by a compare-and-set, so of many reapers one sends the task. The broker is not asked to redeliver
anything: what is lost there is found here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from streaming import metrics, queueing, slots
from streaming.models import CARRIED, OPEN, Stream, StreamStatus
from streaming.runner.leases import alive

logger = logging.getLogger(__name__)

# Longer than any worker with a free slot leaves a task lying.
LOST_AFTER = timedelta(seconds=5)
# Sent in one round: a second later comes the next.
AT_ONCE = 100


def take_over_lost(may_judge: Callable[[], bool] = lambda: True) -> int:
    """Send the running streams of dead workers to living ones; returns how many.

    `may_judge` is asked when some are found: the database may have kept us waiting until then.
    """
    found = 0
    carried = Stream.objects.filter(status__in=CARRIED).exclude(lease="")
    lost = carried.exclude(lease__in=alive().values("pk"))
    for pk, lease, fence in list(lost.values_list("pk", "lease", "fence")):
        if not may_judge():
            break
        if _send_from(pk, lease, fence):
            found += 1
            metrics.TAKEOVERS.inc()
            logger.warning("Worker %s is gone; stream %s goes to another one.", lease, pk)
    return found


def send_forgotten(lease: str, forgotten: Mapping[UUID, int]) -> None:
    """Send streams, with their fences, that are this worker's by the database and that it does not carry: the
    database took its claim and went away before it could say so."""
    for pk, fence in forgotten.items():
        if _send_from(pk, lease, fence):
            logger.warning("Stream %s was claimed here and is not carried; it is sent again.", pk)


def _send_from(pk: UUID, lease: str, fence: int) -> bool:
    """Take the stream from that owner and send it; False if it is not that owner's any more, or over."""
    taken = Stream.objects.filter(pk=pk, lease=lease, fence=fence, status__in=CARRIED).update(
        status=StreamStatus.RECOVERING, lease="", takeovers=F("takeovers") + 1, enqueued_at=Now()
    )
    if taken:
        queueing.send(pk)
    return bool(taken)


def send_again() -> int:
    """Send the tasks of streams that have waited for a worker for too long; returns how many.

    Only from a worker with free slots: there, no task that is not lost lies that long. Behind an open stream of its
    session a stream waits rightly, and so does one that is parked.
    """
    earlier = Stream.objects.filter(session_id=OuterRef("session_id"), created_at__lt=OuterRef("created_at"))
    stuck = (
        Stream.objects.filter(
            status__in=(StreamStatus.QUEUED, StreamStatus.RECOVERING), lease="", enqueued_at__lt=Now() - LOST_AFTER
        )
        .exclude(Exists(earlier.filter(status__in=OPEN)))
        .exclude(pk__in=slots.parked().values("pk"))
        .order_by("enqueued_at")[:AT_ONCE]
    )
    found = 0
    for pk, enqueued_at in list(stuck.values_list("pk", "enqueued_at")):
        if Stream.objects.filter(pk=pk, enqueued_at=enqueued_at).update(enqueued_at=Now()):
            found += 1
            logger.info("Stream %s has waited for a worker; its task is sent again.", pk)
            queueing.send(pk)
    return found
