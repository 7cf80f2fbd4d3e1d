"""What we build on of unfold, with types: it has none of its own, and is Django's with another look."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from unfold.decorators import display

if TYPE_CHECKING:
    from django.contrib import admin
    from django.contrib.admin import FieldListFilter as RangeDateFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import SimpleListFilter as TextFilter
    from django.contrib.admin.views.main import ChangeList

    ModelAdmin = admin.ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin
    from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter
    from unfold.views import ChangeList

__all__ = ["ChangeList", "DropdownFilter", "ModelAdmin", "RangeDateFilter", "TextFilter", "column"]

Column = TypeVar("Column", bound=Callable[..., Any])


def column(title: str, *, looks: dict[str, str] | None = None) -> Callable[[Column], Column]:
    """A column, or a field of a row's page, that a method gives; with `looks`, as a label in the look of its value."""

    def decorate(method: Column) -> Column:
        decorated: Column = display(description=title, label=looks)(method)
        return decorated

    return decorate
