"""Which permissions are given in the admin panel, and how that is asked: those that something here asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.forms import ModelMultipleChoiceField
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

if TYPE_CHECKING:
    Choices = ModelMultipleChoiceField[Any]  # generic in the stubs only
else:
    Choices = ModelMultipleChoiceField

APPS = ("live_sessions", "streaming")


def grantable() -> QuerySet[Permission]:
    """The permissions of our own rows, by kind of row."""
    found = Permission.objects.filter(content_type__app_label__in=APPS)
    return found.order_by("content_type__app_label", "content_type__model", "codename")


class PermissionsField(Choices):
    """A box to tick for each of them."""

    def __init__(self, queryset: QuerySet[Permission] | None = None, **kwargs: Any) -> None:
        given = grantable() if queryset is None else queryset
        super().__init__(given, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget(), **kwargs)

    def label_from_instance(self, obj: Permission) -> str:
        return obj.name
