"""Announcing a change to everyone in a log, in the same database transaction as the change.

A process that dies between commit and delivery loses nothing: the row is still there for the next sweep.
This app does not know how events are delivered; whoever does connects to `announced`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from sessions.models import OutboxRow

# Sent after commit, with `log`: rows of that log are waiting.
announced = Signal()


@dataclass(frozen=True, slots=True)
class Announcement:
    """A durable event: its wire type, its fields (without `log`, `seq`, `ts`), and its stream if it has one."""

    type: str
    body: dict[str, Any]
    stream: str = ""


def announce(log: str, *events: Announcement) -> None:
    """Put `events` on their way to `log`, in order, when the surrounding transaction commits.

    Raises django.db.transaction.TransactionManagementError outside a transaction: an event that does not stand and
    fall with its change is a bug.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("announce() needs the transaction of the change it announces.")
    OutboxRow.objects.bulk_create(
        OutboxRow(log=log, type=event.type, stream=event.stream, body=event.body) for event in events
    )
    transaction.on_commit(partial(announced.send_robust, sender=OutboxRow, log=log))
