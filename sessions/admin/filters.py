"""Filters of the admin panel's lists that are not a column's own. None of them reads a whole table for its choices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from sessions.access import id_of
from sessions.admin.unfolding import DropdownFilter, RangeDateFilter, TextFilter


class DaysFilter(RangeDateFilter):
    """From a day to a day, both whole, in UTC. unfold's own takes a day for its first moment, without a zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup, moment in (("from", "gte", time.min), ("to", "lte", time.max)):
            try:
                day = date.fromisoformat(str(self.used_parameters.get(f"{self.field_path}_{end}", "")))
            except ValueError:
                continue
            queryset = queryset.filter(**{f"{self.field_path}__{lookup}": datetime.combine(day, moment, UTC)})
        return queryset


class KindFilter(DropdownFilter):
    """One of a few kinds of rows; `kinds` gives each its word and its condition."""

    kinds: dict[str, tuple[str, Callable[[], Q]]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in self.kinds.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        kind = self.kinds.get(self.value() or "")
        return queryset if kind is None else queryset.filter(kind[1]())


class EndedFilter(KindFilter):
    title = "state"
    parameter_name = "state"
    kinds = {
        "open": ("Open", lambda: Q(archived_at=None)),
        "ended": ("Ended", lambda: Q(archived_at__isnull=False)),
    }


class InvitationFilter(KindFilter):
    title = "standing"
    parameter_name = "standing"
    kinds = {
        "open": (
            "Open",
            lambda: Q(revoked_at=None, declined_at=None, expires_at__gt=timezone.now(), uses__lt=F("max_uses")),
        ),
        "used_up": ("Used up", lambda: Q(uses__gte=F("max_uses"))),
        "expired": ("Expired", lambda: Q(expires_at__lte=timezone.now())),
        "revoked": ("Revoked", lambda: Q(revoked_at__isnull=False)),
        "declined": ("Declined", lambda: Q(declined_at__isnull=False)),
    }


class TokenFilter(KindFilter):
    title = "standing"
    parameter_name = "standing"
    kinds = {
        "in_force": ("In force", lambda: Q(revoked_at=None, user__is_active=True)),
        "revoked": ("Revoked", lambda: Q(revoked_at__isnull=False)),
        "unused": ("Never used", lambda: Q(last_used_at=None)),
    }


class IdFilter(TextFilter):
    """Rows whose `parameter_name` is the id that was given; none for what is no id."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = (self.value() or "").strip().lower()
        if not text:
            return queryset
        return queryset.filter(**{str(self.parameter_name): text}) if id_of(text) else queryset.none()


class ActorFilter(IdFilter):
    title = "the id of who did it"
    parameter_name = "actor"


class SessionIdFilter(IdFilter):
    title = "the session's id"
    parameter_name = "session"


class TargetFilter(TextFilter):
    title = "the id of what it was done to"
    parameter_name = "target"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        text = (self.value() or "").strip()
        return queryset.filter(target=text[:64]) if text else queryset
