"""How many streams run at once, on all workers together, and who gets a slot that becomes free.

A stream holds a slot from when it is given one to its end, also while it changes workers; not while it waits for a
person. That is read from the streams' own rows: there is no counter that a dead process could leave wrong. One that
finds no room is parked, and sent to the workers again when its turn comes (`fairness`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Max, Q, QuerySet, Value, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from streaming import queueing
from streaming.fairness import Served, Waiting, in_turn
from streaming.models import OPEN, Stream, StreamStatus
from streaming.runner.leases import alive

# For each worker process that is alive, where the operator sets no number: what one carries well, with slots to spare.
FOR_EACH_WORKER = 200
# As many may come at the same moment, none of them seen by the others yet.
BURST = 16
# Given in one transaction; the next second, or the next end, gives more.
AT_ONCE = 50
HOLDS = Q(status__in=(StreamStatus.RUNNING, StreamStatus.RECOVERING)) | Q(
    status=StreamStatus.QUEUED, admitted_at__isnull=False
)
WAITS = Q(status=StreamStatus.QUEUED, parked=True, admitted_at__isnull=True)
# Any number, the same in all processes: PostgreSQL's lock on giving slots.
LOCK = 0x68_6C_73_6C_6F_74


def limit(wanted: int | None = None) -> int:
    """How many streams may run at once; where `wanted` are enough, not less than these without looking further."""
    set_by_operator: int | None = settings.MAX_CONCURRENT_STREAMS
    if set_by_operator is not None:
        return set_by_operator
    if wanted is not None and wanted <= FOR_EACH_WORKER:
        return FOR_EACH_WORKER  # there is at least the worker that asks
    return FOR_EACH_WORKER * max(1, alive().count())


def holding() -> QuerySet[Stream]:
    """The streams that hold a slot."""
    return Stream.objects.filter(HOLDS)


def parked() -> QuerySet[Stream]:
    """The streams that wait for a slot."""
    return Stream.objects.filter(WAITS)


@dataclass(frozen=True, slots=True)
class Use:
    """How many streams hold a slot, and how many wait for one."""

    held: int
    waiting: int


def use() -> Use:
    """What is in use now. Every start asks it twice, so its SQL is built once a process."""
    sql, params = _use_sql(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
    return Use(*row) if row else Use(0, 0)


def is_crowded() -> bool:
    """Whether there may soon be no room: then a slot is taken before the node is asked, and not meanwhile."""
    twice = (use().held + BURST) * 2
    return twice >= limit(twice + 1)


def take(stream: Stream) -> bool:
    """Whether this queued stream has a slot, or gets one now; parks it where it does not.

    To be called in the transaction that makes it run.
    """
    if stream.admitted_at is not None:
        return True
    _lock()
    now = use()
    if now.held < limit(now.held + 1) and not now.waiting:
        return True
    Stream.objects.filter(pk=stream.pk, status=StreamStatus.QUEUED).update(parked=True)
    return stream.pk in _give(but=stream.pk)


def fill() -> int:
    """Give every free slot to whoever's turn it is; returns how many."""
    if not parked().exists():
        return 0
    with transaction.atomic():
        _lock()
        return len(_give())


def turns(at_most: int) -> dict[UUID, int]:
    """How many parked streams get their slot before each of those who are parked; of the `at_most` oldest."""
    rows = parked().order_by("created_at")[:at_most].values_list("pk", "user_id", "session_id", "created_at")
    waiting = [Waiting(*row) for row in rows]
    return {each.stream: number for number, each in enumerate(in_turn(waiting, _served(waiting)))}


def _give(but: UUID | None = None) -> set[UUID]:
    """Under the lock: mark whose turn it is as admitted, to be sent after commit, `but` one that is here already."""
    room = min(limit() - holding().count(), AT_ONCE)
    if room <= 0:
        return set()
    # No line can get more than there is room for.
    rank = Window(RowNumber(), partition_by=[F("user_id"), F("session_id")], order_by=["created_at", "id"])
    rows = parked().annotate(rank=rank).filter(rank__lte=room).values_list("pk", "user_id", "session_id", "created_at")
    waiting = [Waiting(*row) for row in rows]
    given = {each.stream for each in in_turn(waiting, _served(waiting))[:room]}
    now = timezone.now()
    Stream.objects.filter(pk__in=given).update(admitted_at=now, enqueued_at=now)
    for pk in given - {but}:
        transaction.on_commit(partial(queueing.send, pk))
    return given


def _served(waiting: list[Waiting]) -> Served:
    """Turns that were given since the first of these began to wait: earlier ones put nobody behind."""
    if not waiting:
        return {}
    given = Stream.objects.filter(admitted_at__gte=min(each.since for each in waiting)).order_by()
    rows: Any = given.values_list("user_id", "session_id").annotate(last=Max("admitted_at"))
    return {(user, session): last for user, session, last in rows}


@cache
def _use_sql(vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Building it takes several times as long as running it. `vendor` is the connection's, whose SQL it is."""
    counted = Stream.objects.filter(status__in=OPEN).order_by().values(all=Value(1))
    counted = counted.annotate(held=Count("pk", filter=HOLDS), waiting=Count("pk", filter=WAITS))
    sql, params = counted.values_list("held", "waiting").query.sql_with_params()
    return sql, tuple(params)


def _lock() -> None:
    """One gives at a time. SQLite's transactions that write exclude one another anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
