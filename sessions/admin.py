"""The rows in Django's admin, to find and look at. No digest of a token is shown, and what the log holds is not edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest

from sessions.models import ApiToken, LiveSession, Member, Message, OutboxRow, User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    AccountAdmin = BaseUserAdmin[User]
    CreationForm = AdminUserCreationForm[User]
else:
    ModelAdmin, AccountAdmin, CreationForm = admin.ModelAdmin, BaseUserAdmin, AdminUserCreationForm


class UserCreation(CreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


@admin.register(User)
class UserAdmin(AccountAdmin):
    add_form = UserCreation
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    readonly_fields = ("date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "avatar")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)


class ReadOnly(ModelAdmin):
    """Rows that only verbs may change: the log must say the same as the database."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LiveSession)
class LiveSessionAdmin(ReadOnly):
    list_display = ("title", "slug", "model", "last_n", "archived_at", "updated_at")
    list_filter = ("archived_at",)
    search_fields = ("title", "slug", "id")
    ordering = ("-updated_at",)


@admin.register(Member)
class MemberAdmin(ReadOnly):
    list_display = ("session", "user", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("session", "user")
    search_fields = ("session__title", "user__email", "user__name")


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ("session", "n", "role", "user", "status", "created_at")
    list_filter = ("role", "status")
    list_select_related = ("session", "user")
    search_fields = ("id", "session__title", "user__email")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly):
    list_display = ("name", "user", "scope", "created_at", "last_used_at", "revoked_at")
    list_filter = ("scope",)
    list_select_related = ("user",)
    search_fields = ("name", "user__email")
    exclude = ("digest",)


@admin.register(OutboxRow)
class OutboxRowAdmin(ReadOnly):
    list_display = ("id", "type", "log", "created_at")
    search_fields = ("log",)
