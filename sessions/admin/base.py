"""The ground of the admin panel's pages: who sees them, how long lists stay quick, and how actions are confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin import ShowFacets, helpers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from hanzo_live.protocol.errors import LiveError
from sessions.access import may_operate
from sessions.admin.actions import Action
from sessions.admin.finding import Matcher, conditions
from sessions.admin.links import links_of, list_url
from sessions.admin.paging import BoundedPaginator
from sessions.admin.unfolding import ChangeList, ModelAdmin, column
from sessions.models import AuditEntry, User
from sessions.text import is_storable


class Rows(ChangeList):
    """A page of a list."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Nothing is counted beyond the page's own count, so there is no other number to offer.
        self.full_result_count = self.result_count


# Rows that a confirmation names.
MAX_NAMED = 20
CONFIRMED = "confirmed"


class OperatorAdmin(ModelAdmin):
    """Rows to find, to look at and to act on. They are changed by actions alone, so there is no form."""

    row_actions: Sequence[Action] = ()
    finds: Sequence[Matcher] = ()
    search_fields = ("pk",)  # what makes the field appear; `finds` is what it looks in

    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_disable_select_all = True  # an action takes what is on the page
    list_filter_submit = True
    list_filter_sheet = True
    compressed_fields = True
    actions_detail_hide_default = True

    # Who may -----------------------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request.user
        return isinstance(user, User) and may_operate(user, f"{self.opts.app_label}.view_{self.opts.model_name}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # What happened is written into the audit log by the verbs, and nowhere else.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:  # type: ignore[override]
        return None

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:  # type: ignore[override]
        return None

    # Lists -------------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # PostgreSQL refuses to look for what it cannot hold.
        if not all(is_storable(value) for values in request.GET.lists() for value in values[1]):
            return redirect(list_url(self.model))
        return super().changelist_view(request, extra_context)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Rows]:
        return Rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        for condition in conditions(search_term, self.finds):
            queryset = queryset.filter(condition)
        return queryset, False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """As Django wants them: the name, and what is called with the selected rows."""
        return {
            action.name: (OperatorAdmin._act_on_selected, action.name, action.label)
            for action in self._actions_for(request)
            if action.on_lists
        }

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], **kwargs: Any) -> HttpResponse | None:  # type: ignore[override]  # the stubs know an argument that Django has not
        try:
            return super().response_action(request, queryset, **kwargs)
        except ValidationError:  # an id that is none
            raise Http404 from None

    def _act_on_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        name = request.POST.get("action", "")
        return self._act(request, self._action(request, name), list(queryset), back=request.get_full_path())

    # A row's page --------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                f"<path:object_id>/{action.name}/",
                self.admin_site.admin_view(self._act_on_row),
                {"name": action.name},
                name=f"{model}_{action.name}",
            )
            for action in self.row_actions
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except LiveError as error:  # of the verb that a form ends in: somebody else was quicker
            messages.error(request, error.message)
            return redirect(request.get_full_path())

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context["actions_detail"] = list(self._buttons(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _buttons(self, request: HttpRequest, row: Model) -> Iterator[dict[str, Any]]:
        model = f"{self.opts.app_label}_{self.opts.model_name}"
        for action in self._actions_for(request):
            if action.offered(row):
                address = reverse(f"admin:{model}_{action.name}", args=[row.pk])
                variant = ActionVariant.DANGER if action.destroys else ActionVariant.DEFAULT
                yield {"title": action.label, "path": address, "icon": action.icon, "variant": variant, "attrs": {}}
        for title, icon, address in self.views_of(request, row):
            yield {"title": title, "path": address, "icon": icon, "variant": ActionVariant.DEFAULT, "attrs": {}}

    def views_of(self, request: HttpRequest, row: Any) -> Iterator[tuple[str, str, str]]:
        """The title, icon and address of what else there is to see of a row."""
        if self.model is not AuditEntry and may_operate_on_log(request):
            yield "History", "history", list_url(AuditEntry, target=row.pk)

    def _act_on_row(self, request: HttpRequest, object_id: str, name: str) -> HttpResponseBase:
        action = self._action(request, name)
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        answer = self._act(request, action, [row], back=back)
        if answer is not None:
            return answer
        return redirect(back if self.get_object(request, object_id) is not None else list_url(self.model))

    @column("Belonging to it")
    def related(self, row: Model) -> SafeString:
        return links_of(row)

    # Both ----------------------------------------------------------------------------------------------------------

    def _actions_for(self, request: HttpRequest) -> list[Action]:
        return [action for action in self.row_actions if action.is_for(request.user)]

    def _action(self, request: HttpRequest, name: str) -> Action:
        """Raises Http404 for an action that does not exist, and PermissionDenied for one that is not the operator's."""
        found = next((action for action in self.row_actions if action.name == name), None)
        if found is None:
            raise Http404
        if not (found.is_for(request.user) and self.has_view_permission(request)):
            raise PermissionDenied
        return found

    def _act(self, request: HttpRequest, action: Action, rows: list[Any], back: str) -> HttpResponseBase | None:
        """The page that asks, until it was answered; then it is done. None where the list or the row is next."""
        answered = request.method == "POST" and CONFIRMED in request.POST
        form = action.form(rows, request.POST if answered else None) if action.form is not None else None
        if answered and (form is None or form.is_valid()):
            return action.perform(request, rows, form.cleaned_data if form is not None else {})
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "original": rows[0] if len(rows) == 1 else None,
            "action": action,
            "form": form,
            "rows": rows[:MAX_NAMED],
            "more": max(0, len(rows) - MAX_NAMED),
            "selected": [row.pk for row in rows] if helpers.ACTION_CHECKBOX_NAME in request.POST else [],
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            "confirmed": CONFIRMED,
            "back": back,
        }
        return TemplateResponse(request, "admin/confirm.html", context, status=400 if answered else 200)


def may_operate_on_log(request: HttpRequest) -> bool:
    """Whether the audit log is shown to whoever makes the request."""
    return isinstance(request.user, User) and may_operate(request.user, "live_sessions.view_auditentry")
