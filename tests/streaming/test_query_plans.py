"""What every start asks, and every worker each second, costs the same however many streams have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from sessions.models import User
from streaming import budgets, positions, queueing, slots, waiting
from streaming.models import Stream
from streaming.runner import leases, reaper

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses plans by its statistics"),
]

Asked = list[tuple[str, Any]]


@contextmanager
def asked() -> Iterator[Asked]:
    """The statements of the block as they are sent: with their parameters apart, for these decide about indexes."""
    found: Asked = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield found


def plan_of(sql: str, params: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return [row[-1] for row in cursor.fetchall()]


def of_a_person() -> None:
    user = User(pk=uuid4(), email="plan@example.org")
    budgets.require(Stream(user=user))


def of_a_session() -> None:
    queueing.take_next(uuid4())


@pytest.mark.parametrize(
    "duty",
    [
        slots.use,
        slots.is_crowded,
        slots.fill,
        lambda: slots.turns(10),
        of_a_person,
        of_a_session,
        positions.tell,
        reaper.take_over_lost,
        reaper.send_again,
        waiting.give_up_late,
        lambda: leases.beat("nobody", 0, {}),
    ],
    ids=["use", "crowded", "fill", "turns", "person", "session", "positions", "lost", "again", "late", "beat"],
)
def test_no_row_is_looked_at_in_vain(duty: Callable[[], Any]) -> None:
    with asked() as statements:
        duty()
    plans = {sql: plan_of(sql, params) for sql, params in statements if "streaming_" in sql}
    assert plans
    for sql, steps in plans.items():
        scans = [step for step in steps if step.startswith(("SCAN streaming_stream", "SCAN streaming_tool"))]
        assert not scans, f"{scans} for {sql}"
