"""Members in the admin panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from sessions import operations
from sessions.access import Operation
from sessions.admin.actions import Action
from sessions.admin.base import OperatorAdmin
from sessions.admin.filters import DaysFilter
from sessions.admin.finding import beginning, by_id, titled
from sessions.admin.links import link_to
from sessions.admin.unfolding import column
from sessions.audit import Operator
from sessions.models import Member, Role


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices, widget=UnfoldAdminSelectWidget())

    def __init__(self, rows: Sequence[Member], data: Any = None) -> None:
        super().__init__(data, initial={"role": rows[0].role if rows else Role.VIEWER})


def _change_role(operator: Operator, member: Member, role: str) -> None:
    operations.change_role(operator, member, Role(role))


@admin.register(Member)
class MemberAdmin(OperatorAdmin):
    list_display = ("member", "in_session", "role", "last_read_n", "created_at")
    list_filter = (
        ("role", ChoicesDropdownFilter),
        ("session", AutocompleteSelectFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", DaysFilter),
    )
    list_select_related = ("session", "user")
    sortable_by = ()
    ordering = ("-id",)
    finds = (
        by_id("session", "user"), beginning("user__email", "session__slug"), titled("session"),
    )  # fmt: skip
    search_help_text = "The beginning of an e-mail address or slug, words of the session's title, or an id"
    fields = ("of", "in_session", "role", "last_read_n", "created_at")
    readonly_fields = ("of", "in_session", "created_at")
    row_actions = (
        Action(
            name="role",
            label="Change role",
            icon="manage_accounts",
            operation=Operation.CHANGE_ROLE,
            run=_change_role,
            form=RoleForm,
            question="Which role in the session? It counts at once, on open pages too.",
            done="The role is changed.",
        ),
        Action(
            name="remove",
            label="Remove",
            icon="person_remove",
            operation=Operation.REMOVE_MEMBER,
            run=operations.remove_member,
            question="Remove this member from the session? Their open pages are shut out of it at once. What they said stays.",
            done="Removed.",
            destroys=True,
        ),
    )

    @column("User")
    def member(self, member: Member) -> str:
        return f"{member.user} <{member.user.email}>"

    @column("User")
    def of(self, member: Member) -> str:
        return link_to(member.user, f"{member.user} <{member.user.email}>")

    @column("Session")
    def in_session(self, member: Member) -> str:
        return link_to(member.session)
