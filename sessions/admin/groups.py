"""Groups of operators: rights that are given together. Superusers alone make and change them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from sessions.access import may_give_rights
from sessions.admin.base import OperatorAdmin
from sessions.admin.finding import containing
from sessions.admin.rights import PermissionsField
from sessions.audit import Operator, record
from sessions.models import AuditAction, User

admin.site.unregister(Group)


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    permissions = PermissionsField()

    class Meta:
        model = Group
        fields = ("name", "permissions")


@admin.register(Group)
class GroupAdmin(OperatorAdmin):
    form = GroupForm
    list_display = ("name",)
    ordering = ("name",)
    finds = (containing("name"),)
    fields = ("name", "permissions")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and may_give_rights(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After the permissions are in, within Django's transaction: the entry says what the group may do now."""
        super().save_related(request, form, formsets, change)
        group = form.instance
        permissions = list(group.permissions.order_by("codename").values_list("codename", flat=True))
        action = AuditAction.GROUP_CHANGE if change else AuditAction.GROUP_CREATE
        record(Operator.of(request), action, group, permissions=permissions)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        record(Operator.of(request), AuditAction.GROUP_DELETE, obj)
        super().delete_model(request, obj)
