"""Sessions in the admin panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from sessions import operations
from sessions.access import Operation
from sessions.admin import transcript
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.exporting import ExportAction, ExportForm
from sessions.admin.filters import DaysFilter, EndedFilter
from sessions.admin.finding import beginning, by_id, titled
from sessions.admin.links import NONE, Relation, link_to, relate
from sessions.admin.unfolding import column
from sessions.models import Invitation, LiveSession, Member, Message, Role

# Of the owners of a session, the list names so many.
MAX_OWNERS = 3

relate(
    LiveSession,
    Relation("Members", Member, "session__id__exact"),
    Relation("Invitations", Invitation, "session__id__exact"),
    Relation("Messages", Message, "session__id__exact"),
)


@admin.register(LiveSession)
class LiveSessionAdmin(OperatorAdmin):
    list_display = ("title", "slug", "owned_by", "model", "messages", "state", "updated_at")
    list_filter = (EndedFilter, ("updated_at", DaysFilter))
    sortable_by = ("updated_at",)
    ordering = ("-updated_at", "-id")
    finds = (by_id("pk"), beginning("slug"), titled("pk"))
    search_help_text = "Words of the title, the beginning of the slug, or an id"
    fields = (
        ("title", "slug"),
        "related",
        "owned_by",
        ("model", "overlap"),
        ("messages", "state"),
        ("created_at", "updated_at"),
        ("archived_at", "id"),
    )
    readonly_fields = ("id", "related", "owned_by", "messages", "state", "created_at", "updated_at")
    row_actions = (
        Action(
            name="end",
            label="End",
            icon="stop_circle",
            operation=Operation.END_SESSION,
            run=operations.end_session,
            question="Stop what is being written here and archive it? Members can read on; nobody can write, until an owner or you open it again.",
            done="Ended.",
            destroys=True,
            offered=lambda session: session.archived_at is None,
        ),
        Action(
            name="reopen",
            label="Open again",
            icon="replay",
            operation=Operation.END_SESSION,
            run=operations.reopen_session,
            question="Let members write here again?",
            done="Open again.",
            offered=lambda session: session.archived_at is not None,
        ),
        ExportAction(
            name="export",
            label="Export",
            icon="download",
            operation=Operation.EXPORT_TRANSCRIPT,
            run=operations.export_transcripts,
            form=ExportForm,
            question="In which form do you want what was said? That you took it along is in the audit log.",
            done="",
        ),
        Action(
            name="delete",
            label="Delete",
            icon="delete_forever",
            operation=Operation.DELETE_SESSION,
            run=operations.delete_session,
            question="Delete this, with everything that was said in it? It cannot be brought back. Whoever watches it is told.",
            done="Deleted.",
            destroys=True,
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(transcript.view(self))
        own = path("<path:object_id>/transcript/", page, name="live_sessions_livesession_transcript")
        return [own, *super().get_urls()]

    def views_of(self, request: HttpRequest, row: LiveSession) -> Iterator[tuple[str, str, str]]:
        if transcript.is_shown_to(request.user):
            yield "Transcript", "article", transcript.url_of(row)
        yield from super().views_of(request, row)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LiveSession]:
        owners = Member.objects.filter(role=Role.OWNER).select_related("user").order_by("created_at", "pk")
        rows: QuerySet[LiveSession] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("members", queryset=owners, to_attr="owners"))

    @column("Owners")
    def owned_by(self, session: Any) -> SafeString | str:
        links = [(link_to(member.user),) for member in session.owners[:MAX_OWNERS]]
        more = [(f"and {len(session.owners) - MAX_OWNERS} more",)] if len(session.owners) > MAX_OWNERS else []
        return format_html_join(", ", "{}", links + more) or NONE

    @column("Messages")
    def messages(self, session: LiveSession) -> int:
        return session.last_n

    @column("State", looks={"Open": "success", "Ended": "default"})
    def state(self, session: LiveSession) -> str:
        return "Open" if session.archived_at is None else "Ended"
