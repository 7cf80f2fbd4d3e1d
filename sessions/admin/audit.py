"""The audit log in the admin panel: read, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import ActorFilter, DaysFilter, SessionIdFilter, TargetFilter
from sessions.admin.finding import by_id
from sessions.admin.links import NONE, list_url
from sessions.admin.unfolding import column
from sessions.models import AuditEntry, LiveSession, User


def _of_somebody(word: str) -> Q:
    """What those users did whose addresses begin with the word."""
    return Q(actor__in=User.objects.filter(email__startswith=word.lower()).values("pk"))


def _of_target(word: str) -> Q:
    return Q(target=word)


@admin.register(AuditEntry)
class AuditEntryAdmin(OperatorAdmin):
    list_display = ("moment", "actor_label", "what", "done_to", "in_session", "address")
    list_filter = (
        ("action", ChoicesDropdownFilter),
        ("created_at", DaysFilter),
        ActorFilter,
        TargetFilter,
        SessionIdFilter,
    )
    sortable_by = ()
    ordering = ("-id",)
    finds = (by_id("actor", "session"), _of_target, _of_somebody)
    search_help_text = "The beginning of an operator's e-mail address, or the id of whatever it was done to"
    fields = (
        ("created_at", "what"), ("actor_label", "address"), ("target_type", "target_label"), "target", "in_session",
        "more",
    )  # fmt: skip
    readonly_fields = ("created_at", "what", "in_session", "more")

    @column("When")
    def moment(self, entry: AuditEntry) -> str:
        return entry.created_at.strftime("%Y-%m-%d %H:%M:%S")

    @column("What")
    def what(self, entry: AuditEntry) -> str:
        return entry.get_action_display()

    @column("To")
    def done_to(self, entry: AuditEntry) -> SafeString:
        """With the id's beginning: a name may have been given to another one since."""
        address = list_url(AuditEntry, target=entry.target)
        return format_html('{} <a class="admin-link" href="{}">{}</a>', entry.target_type, address, entry.target_label)

    @column("Session")
    def in_session(self, entry: AuditEntry) -> SafeString | str:
        if entry.session is None:
            return NONE
        return format_html(
            '<a class="admin-link" href="{}">{}</a>', list_url(LiveSession, q=entry.session), str(entry.session)[:8]
        )

    @column("Details")
    def more(self, entry: AuditEntry) -> SafeString | str:
        return format_html_join("", '<div class="admin-wrap">{}: {}</div>', _facts(entry.details)) or NONE


def _facts(details: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), _in_words(value)) for name, value in details.items()]


def _in_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value) or NONE
    return NONE if value is None or value == "" else str(value)
