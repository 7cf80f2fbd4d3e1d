"""Links between the admin panel's pages. Whoever has rows that belong to others' says so here (`relate`)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NONE = "–"


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of `model` belong to a row when their `lookup` is its id."""

    label: str
    model: type[Model]
    lookup: str


_relations: dict[type[Model], list[Relation]] = {}


def relate(model: type[Model], *relations: Relation) -> None:
    """Let the pages of `model`'s rows link to the lists of what belongs to them."""
    _relations.setdefault(model, []).extend(relations)


def list_url(model: type[Model], **filters: object) -> str:
    """The address of a list, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def row_url(row: Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link_to(row: Model | None, text: str | None = None) -> SafeString | str:
    """A link to a row's page, with its name; a dash where there is none."""
    if row is None:
        return NONE
    return format_html('<a class="admin-link" href="{}">{}</a>', row_url(row), str(row) if text is None else text)


def links_of(row: Model) -> SafeString:
    """Links to the lists of what belongs to the row."""
    found = (
        (list_url(relation.model, **{relation.lookup: row.pk}), relation.label)
        for relation in _relations.get(type(row), [])
    )
    return format_html_join(" ", '<a class="admin-link admin-chip" href="{}">{}</a>', found)
