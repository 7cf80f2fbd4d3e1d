"""A worker's sign of life, once a second, by the database's clock. What it carries is its own while the signs go on.

One row and one statement or two, however many streams. Not for what happens to the streams of the dead: `reaper`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from streaming.models import CARRIED, Stream, Worker

HEARTBEAT_S = 1.0
# Three signs missed in a row.
DEAD_AFTER = timedelta(seconds=3)
# A row that is this old is not even of interest to a person.
FORGET_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Carried:
    """The streams that the database says are this worker's, with their fences, and those that somebody wants stopped."""

    all: Mapping[UUID, int]
    stopping: frozenset[UUID]


def beat(worker_id: str, tokens_per_second: float = 0.0, on_nodes: Mapping[str, int] | None = None) -> Carried:
    """Give a sign of life, and say how fast is written and to which nodes; returns what is carried, as of now."""
    told = {"seen_at": Now(), "tokens_per_second": tokens_per_second, "on_nodes": dict(on_nodes or {})}
    if not Worker.objects.filter(pk=worker_id).update(**told):
        Worker.objects.create(pk=worker_id, **told)
    mine = Stream.objects.filter(lease=worker_id, status__in=CARRIED)
    rows = list(mine.values_list("pk", "fence", "stop_requested_at"))
    return Carried({pk: fence for pk, fence, _ in rows}, frozenset(pk for pk, _, stop in rows if stop is not None))


def on_nodes(but: str) -> Counter[str]:
    """How many streams the other living workers than `but` have on each node: the dead count for nothing."""
    counts: Counter[str] = Counter()
    for told in alive().exclude(pk=but).values_list("on_nodes", flat=True):
        counts.update(told)
    return counts


def end(worker_id: str) -> None:
    """The last sign: what is still carried may be taken at once."""
    Worker.objects.filter(pk=worker_id).delete()


def alive() -> QuerySet[Worker]:
    """The workers that gave a sign of life lately."""
    return Worker.objects.filter(seen_at__gte=Now() - DEAD_AFTER)


def forget_the_dead() -> None:
    """Delete the rows of workers that are long gone."""
    Worker.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()
