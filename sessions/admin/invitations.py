"""Invitations in the admin panel. Their tokens are not known here, and the digests are not shown."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from sessions import operations
from sessions.access import Operation
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter, InvitationFilter
from sessions.admin.finding import beginning, by_id, titled
from sessions.admin.links import link_to
from sessions.admin.unfolding import column
from sessions.invitations import Standing, ended, standing_of
from sessions.models import Invitation

LOOKS = {
    "open": "success", "used_up": "default", "expired": "warning", "revoked": "danger", "declined": "default",
    "archived": "default",
}  # fmt: skip


@admin.register(Invitation)
class InvitationAdmin(OperatorAdmin):
    list_display = ("invited", "in_session", "role", "used", "standing", "by", "expires_at", "created_at")
    list_filter = (
        InvitationFilter,
        ("role", ChoicesDropdownFilter),
        ("mail", ChoicesDropdownFilter),
        ("session", AutocompleteSelectFilter),
        ("inviter", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    list_select_related = ("session", "inviter")
    sortable_by = ("created_at",)
    ordering = ("-created_at", "-id")
    finds = (
        by_id("pk", "session", "inviter"), beginning("email", "inviter__email", "session__slug"), titled("session"),
    )  # fmt: skip
    search_help_text = "The beginning of an e-mail address or slug, words of the session's title, or an id"
    fields = (
        "invited", "in_session", ("role", "stands"), "by", ("used", "mail"),
        ("created_at", "expires_at"), ("revoked_at", "declined_at"), "id",
    )  # fmt: skip
    readonly_fields = ("invited", "in_session", "stands", "by", "used", "created_at", "id")
    row_actions = (
        Action(
            name="revoke",
            label="Revoke",
            icon="link_off",
            operation=Operation.REVOKE_INVITATION,
            run=operations.revoke_invitation,
            question="Revoke this invitation? Its link works no more. Who joined by it stays.",
            done="Revoked.",
            destroys=True,
            offered=lambda invitation: invitation.revoked_at is None,
        ),
    )

    @column("Invited")
    def invited(self, invitation: Invitation) -> str:
        return invitation.email or "Whoever has the link"

    @column("Session")
    def in_session(self, invitation: Invitation) -> str:
        return link_to(invitation.session)

    @column("Invited by")
    def by(self, invitation: Invitation) -> str:
        return link_to(invitation.inviter)

    @column("Used")
    def used(self, invitation: Invitation) -> str:
        return f"{invitation.uses} of {invitation.max_uses}"

    @column("Standing", looks=LOOKS)
    def standing(self, invitation: Invitation) -> tuple[str, str]:
        """By the row alone: what the inviter may do now is not asked for each row of a list."""
        return _in_words(ended(invitation) or Standing.OPEN)

    @column("Standing", looks=LOOKS)
    def stands(self, invitation: Invitation) -> tuple[str, str]:
        return _in_words(standing_of(invitation))


def _in_words(standing: Standing) -> tuple[str, str]:
    return standing.value, standing.value.replace("_", " ").capitalize()
