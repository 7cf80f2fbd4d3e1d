"""Messages in the admin panel: who said something when. What was said is read in the transcript, which is written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from sessions.admin import transcript
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter
from sessions.admin.finding import beginning, by_id, titled
from sessions.admin.links import link_to
from sessions.admin.unfolding import column
from sessions.models import Message

STATUS_LOOKS = {
    "queued": "default", "streaming": "info", "complete": "success", "stopped": "warning", "failed": "danger",
}  # fmt: skip


@admin.register(Message)
class MessageAdmin(OperatorAdmin):
    list_display = ("number", "in_session", "role", "by", "standing", "created_at")
    list_filter = (
        ("role", ChoicesDropdownFilter),
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
    fields = (
        ("number", "role"), "in_session", "by", ("standing", "finish_reason"), ("length", "created_at"), "stream", "id",
    )  # fmt: skip
    readonly_fields = ("number", "in_session", "by", "standing", "length", "created_at", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows.defer("content", "parts").annotate(characters=Length("content"))

    def views_of(self, request: HttpRequest, row: Message) -> Iterator[tuple[str, str, str]]:
        if transcript.is_shown_to(request.user):
            yield "Read in the transcript", "article", transcript.url_of(row.session, row.n)
        yield from super().views_of(request, row)

    @column("Number")
    def number(self, message: Message) -> str:
        return f"#{message.n}"

    @column("Session")
    def in_session(self, message: Message) -> str:
        return link_to(message.session)

    @column("By")
    def by(self, message: Message) -> str:
        return link_to(message.user)

    @column("Status", looks=STATUS_LOOKS)
    def standing(self, message: Message) -> str:
        return str(message.status)

    @column("Characters")
    def length(self, message: Any) -> int:
        found: int = message.characters
        return found
