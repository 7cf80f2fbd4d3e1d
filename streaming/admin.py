"""Streams, tool calls, workers and webhook notices in the admin panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import EmptyFieldListFilter
from django.db.models import Q, QuerySet
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
from streaming.models import Notice, Stream, ToolCall, Worker
from streaming.notices.delivering import place_of

relate(Stream, Relation("Tool calls", ToolCall, "stream__id__exact"))
relate(LiveSession, Relation("Streams", Stream, "session__id__exact"))
relate(User, Relation("Streams", Stream, "user__id__exact"))

STATUS_LOOKS = {
    "queued": "default", "running": "info", "waiting": "info", "recovering": "warning",
    "complete": "success", "stopped": "warning", "failed": "danger",
}  # fmt: skip


CALL_LOOKS = {
    "awaiting_approval": "warning", "awaiting_client": "warning", "approved": "info", "denied": "danger",
    "answered": "info", "settled": "success",
}  # fmt: skip
NOTICE_LOOKS = {"waiting": "info", "given up": "danger"}


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


@admin.register(ToolCall)
class ToolCallAdmin(OperatorAdmin):
    """Calls that waited for somebody: to approve them, or to run them on a client."""

    list_display = ("id", "tool", "standing", "of_stream", "decided", "by", "created_at", "decided_at")
    list_filter = (("status", ChoicesDropdownFilter), ("created_at", DaysFilter))
    list_select_related = ("stream", "user")
    sortable_by = ("id",)
    ordering = ("-id",)
    finds = (by_id("stream", "user"), beginning("user__email"))
    search_help_text = "The beginning of an e-mail address, or an id of a stream or user"
    # Neither arguments nor results: they are read in the transcript, which is written down.
    fields = (
        ("id", "call"), "tool", ("standing", "decided"), "of_stream", "by", ("created_at", "deadline", "decided_at"),
    )  # fmt: skip
    readonly_fields = ("id", "standing", "of_stream", "decided", "by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ToolCall]:
        rows: QuerySet[ToolCall] = super().get_queryset(request)
        return rows.defer("output", "error", "reason", "stream__request", "stream__content", "stream__parts")

    @column("Status", looks=CALL_LOOKS)
    def standing(self, call: ToolCall) -> str:
        return str(call.status)

    @column("Stream")
    def of_stream(self, call: ToolCall) -> str:
        return link_to(call.stream)

    @column("Decided as")
    def decided(self, call: ToolCall) -> str:
        return call.decided_as or NONE

    @column("By")
    def by(self, call: ToolCall) -> str:
        return link_to(call.user) if call.user else NONE


def _of_stream(word: str) -> Q | None:
    return Q(body__stream=word.lower())


@admin.register(Notice)
class NoticeAdmin(OperatorAdmin):
    """Webhooks that have not arrived yet, or were given up. What has arrived is not kept."""

    list_display = ("id", "event", "to", "standing", "attempts", "answer", "due", "created_at")
    list_filter = (("given_up_at", EmptyFieldListFilter),)
    sortable_by = ("id",)
    ordering = ("-id",)
    finds = (_of_stream,)
    search_help_text = "A stream's id"
    fields = (
        "id",
        "event",
        "of_stream",
        "to",
        ("standing", "attempts"),
        "answer",
        ("created_at", "due", "given_up_at"),
    )
    readonly_fields = ("id", "event", "of_stream", "to", "standing", "answer", "due", "created_at")
    row_actions = (
        Action(
            name="retry",
            label="Send again",
            icon="replay",
            operation=Operation.RETRY_NOTICE,
            run=operations.retry_notice,
            question="Send this notice again? It is tried as often as a new one, with the same id.",
            done="It is being sent.",
            offered=lambda notice: notice.given_up_at is not None,
        ),
    )

    @column("Event")
    def event(self, notice: Notice) -> str:
        return str(notice.body["type"])

    @column("Stream")
    def of_stream(self, notice: Notice) -> str:
        return str(notice.body["stream"])

    @column("To")
    def to(self, notice: Notice) -> str:
        return place_of(notice) or "Receivers in our own processes"

    @column("Status", looks=NOTICE_LOOKS)
    def standing(self, notice: Notice) -> str:
        return "waiting" if notice.given_up_at is None else "given up"

    @column("Last answer")
    def answer(self, notice: Notice) -> str:
        return notice.last_answer or NONE

    @column("Next try")
    def due(self, notice: Notice) -> str:
        return NONE if notice.given_up_at is not None else f"{notice.due_at:%Y-%m-%d %H:%M:%S} UTC"


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
