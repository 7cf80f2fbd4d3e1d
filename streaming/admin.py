"""Streams and workers in the admin panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from sessions.access import Operation
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter
from sessions.admin.finding import beginning, by_id, titled
from sessions.admin.links import NONE, Relation, link_to, relate
from sessions.admin.unfolding import column
from sessions.models import LiveSession, User
from streaming import operations
from streaming.configured import ONLY_NODE
from streaming.models import Stream, Worker

relate(LiveSession, Relation("Streams", Stream, "session__id__exact"))
relate(User, Relation("Streams", Stream, "user__id__exact"))

STATUS_LOOKS = {
    "queued": "default", "running": "info", "waiting": "info", "recovering": "warning",
    "complete": "success", "stopped": "warning", "failed": "danger",
}  # fmt: skip


class PurgeForm(forms.Form):
    """What the answers to be taken out have in common with the stream."""

    what = forms.ChoiceField(
        label="Answers",
        choices=[("session", "Of its session"), ("user", "To whom it was for"), ("model", "Of its model")],
    )

    def __init__(self, rows: Sequence[Stream], data: Any = None) -> None:
        super().__init__(data)


@admin.register(Stream)
class StreamAdmin(OperatorAdmin):
    list_display = ("short_id", "standing", "in_session", "by", "ran", "tokens", "first_token", "lasted", "created_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("session", AutocompleteSelectFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    list_select_related = ("session", "user")
    sortable_by = ("created_at",)
    ordering = ("-created_at", "-id")
    finds = (by_id("pk", "session", "user"), beginning("user__email", "session__slug"), titled("session"))
    search_help_text = "The beginning of an e-mail address or slug, words of the session's title, or an id"
    # Not what was asked and answered: that is read in the transcript, which is written down.
    fields = (
        "in_session", "by", ("standing", "finish_reason"), ("ran", "requested_model"), ("tokens", "speed"),
        ("first_token", "lasted"), ("cached", "takeovers"), "why_failed", ("created_at", "started_at", "ended_at"),
        ("lease", "fence"), ("id", "log"),
    )  # fmt: skip
    readonly_fields = (
        "id", "in_session", "by", "standing", "ran", "tokens", "speed", "first_token", "lasted", "why_failed",
        "created_at",
    )  # fmt: skip
    row_actions = (
        Action(
            name="stop",
            label="Stop",
            icon="stop_circle",
            operation=Operation.STOP_STREAM,
            run=operations.stop_stream,
            question="Stop this stream? What was written stays; whoever watches sees who stopped it.",
            done="Stopped.",
            destroys=True,
            offered=lambda stream: not stream.is_over and stream.stop_requested_at is None,
        ),
        Action(
            name="purge",
            label="Take out of the cache",
            icon="cached",
            operation=Operation.PURGE_CACHE,
            run=operations.purge_cache,
            form=PurgeForm,
            question="Which answers should not be given again? Models are asked anew.",
            done="Taken out of the cache.",
            destroys=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stream]:
        rows: QuerySet[Stream] = super().get_queryset(request)
        return rows.defer("request", "content", "parts")

    @column("Stream")
    def short_id(self, stream: Stream) -> str:
        return str(stream.pk)[:8]

    @column("Status", looks=STATUS_LOOKS)
    def standing(self, stream: Stream) -> str:
        return str(stream.status)

    @column("Session")
    def in_session(self, stream: Stream) -> str:
        return link_to(stream.session) if stream.session else "A stream of its own"

    @column("Asked by")
    def by(self, stream: Stream) -> str:
        return "Somebody without an account" if stream.anonymous else link_to(stream.user)

    @column("Model")
    def ran(self, stream: Stream) -> str:
        on = f"{stream.node_name}, " if stream.node_name not in ("", ONLY_NODE) else ""
        where = f" ({on}{stream.node})" if stream.node else ""
        return f"{stream.model or stream.requested_model or NONE}{where}"

    @column("Tokens")
    def tokens(self, stream: Stream) -> str:
        return NONE if stream.usage is None else f"{stream.usage['completion_tokens']:,}"

    @column("First token")
    def first_token(self, stream: Stream) -> str:
        return _milliseconds(stream.timings, "first_token_ms")

    @column("Lasted")
    def lasted(self, stream: Stream) -> str:
        return _milliseconds(stream.timings, "duration_ms")

    @column("Speed")
    def speed(self, stream: Stream) -> str:
        speed = (stream.timings or {}).get("tokens_per_second")
        return NONE if speed is None else f"{speed:g} tokens a second"

    @column("Why it failed")
    def why_failed(self, stream: Stream) -> str:
        return NONE if stream.error is None else f"{stream.error['code']}: {stream.error['message']}"


@admin.register(Worker)
class WorkerAdmin(OperatorAdmin):
    list_display = ("id", "seen_at", "started_at")
    sortable_by = ()
    ordering = ("id",)
    finds = (beginning("id"),)
    search_help_text = "The beginning of the worker's name"
    fields = ("id", "seen_at", "started_at")
    readonly_fields = ("started_at",)


def _milliseconds(timings: dict[str, Any] | None, name: str) -> str:
    value = (timings or {}).get(name)
    if value is None:
        return NONE
    return f"{value:.0f} ms" if value < 1_000 else f"{value / 1_000:.1f} s"
