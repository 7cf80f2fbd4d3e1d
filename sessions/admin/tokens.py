"""API tokens in the admin panel. Neither a token nor its digest is ever shown."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from sessions import operations
from sessions.access import Operation
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter, TokenFilter
from sessions.admin.finding import beginning, by_id
from sessions.admin.links import link_to
from sessions.admin.unfolding import column
from sessions.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(OperatorAdmin):
    list_display = ("name", "by", "scope", "standing", "last_used_at", "created_at")
    list_filter = (
        TokenFilter,
        ("scope", ChoicesDropdownFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    list_select_related = ("user",)
    sortable_by = ("created_at",)
    ordering = ("-created_at", "-id")
    finds = (by_id("pk", "user"), beginning("user__email"))
    search_help_text = "The beginning of the user's e-mail address, or an id"
    fields = ("name", "by", ("scope", "standing"), ("created_at", "last_used_at", "revoked_at"), "id")
    readonly_fields = ("by", "standing", "created_at", "id")
    row_actions = (
        Action(
            name="revoke",
            label="Revoke",
            icon="key_off",
            operation=Operation.REVOKE_TOKEN,
            run=operations.revoke_token,
            question="Revoke this API token? What uses it is cut off at once, open sockets too.",
            done="Revoked.",
            destroys=True,
            offered=lambda token: token.revoked_at is None,
        ),
    )

    @column("User")
    def by(self, token: ApiToken) -> str:
        return link_to(token.user)

    @column("Standing", looks={"In force": "success", "Revoked": "danger", "User is off": "warning"})
    def standing(self, token: ApiToken) -> str:
        if token.revoked_at is not None:
            return "Revoked"
        return "In force" if token.user.is_active else "User is off"
