"""The outbox in the admin panel: events that wait for their log. Rows that stay mean that Redis cannot be reached."""

from __future__ import annotations

from django.contrib import admin

from sessions.admin.base import OperatorAdmin
from sessions.admin.finding import beginning
from sessions.models import OutboxRow


@admin.register(OutboxRow)
class OutboxRowAdmin(OperatorAdmin):
    list_display = ("id", "type", "log", "created_at")
    sortable_by = ("id",)
    ordering = ("-id",)
    finds = (beginning("log"),)
    search_help_text = "The beginning of the log's name, such as session:…"
    # Not the body: it may hold what somebody said.
    fields = ("id", ("type", "log"), "stream", "created_at")
    readonly_fields = ("id", "created_at")
