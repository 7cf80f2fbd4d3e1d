"""Writing down what operators do, beside the change itself. What is read of it is the admin panel's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.http import HttpRequest

from sessions.models import AuditAction, AuditEntry, User
from sessions.rates import address_of
from sessions.text import is_storable

MAX_ITEMS = 64
MAX_VALUE = 200


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts in the admin panel, and from which network address."""

    user: User
    address: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Operator:
        """Whoever makes the request; the admin's pages have seen to it that somebody is signed in."""
        assert isinstance(request.user, User)
        return cls(request.user, address_of(request))


def record(
    operator: Operator, action: AuditAction, target: models.Model, *, session: UUID | None = None, **details: Any
) -> AuditEntry:
    """Add an entry to the audit log.

    Raises django.db.transaction.TransactionManagementError outside a transaction: an entry that does not stand and
    fall with what it tells of is a bug.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("record() needs the transaction of what it tells of.")
    return AuditEntry.objects.create(
        actor=operator.user.pk,
        actor_label=operator.user.email,
        address=operator.address[:64] if is_storable(operator.address) else "",
        action=action,
        target_type=str(target._meta.verbose_name),
        target=str(target.pk),
        target_label=str(target)[:200],
        session=session,
        details=_bounded(details),
    )


def _bounded(details: Mapping[str, Any]) -> dict[str, Any]:
    """What fits a row: some values, none of them long."""
    return {name: _short(value) for name, value in list(details.items())[:MAX_ITEMS]}


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_short(each) for each in list(value)[:MAX_ITEMS]]
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
