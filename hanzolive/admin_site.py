"""The admin panel as a whole: its name, its look, its navigation, and who is let in.

What is in it belongs to the apps (`sessions.admin`, `streaming.admin`); its start page is `dashboard`.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from hanzolive.bundle import BundleMissing, entry
from hanzolive.dashboard import views as dashboard
from sessions.access import may_give_rights, may_operate
from sessions.models import User


class LiveAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    """unfold's, with our sign-in, styles from files alone, and one place for one's own account."""

    site_title = site_header = "Hanzo Live"
    index_title = "Dashboard"

    # Django's own sign-in for admins asks for neither a second factor nor a confirmed address.
    @method_decorator(secure_admin_login)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer: HttpResponse = super().login(request, extra_context)
        return answer

    @method_decorator([never_cache, require_POST])
    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        logout(request)
        return redirect("home")

    def extra_urls(self) -> list[URLPattern]:
        return [path("dashboard/", self.admin_view(dashboard.figures), name="dashboard_figures")]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        answer: TemplateResponse = super().index(request, {**(extra_context or {}), **dashboard.page_context()})
        return answer

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect("account_change_password")

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        """The colours come with our styles: unfold would put them into the page, which its CSP refuses."""
        return {**context, "colors": None, "border_radius": None, "styles": [*_fonts(), static("admin/panel.css")]}


def _fonts() -> list[str]:
    """Our fonts, as the app's pages have them; where nothing was built, the system's."""
    try:
        return [static(path) for path in entry("src/styles/fonts.css").styles]
    except BundleMissing:
        return []


def may_view(request: HttpRequest, app: str, model: str) -> bool:
    """Whether the list of those rows is for whoever makes the request."""
    return isinstance(request.user, User) and may_operate(request.user, f"{app}.view_{model}")


def gives_rights(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and may_give_rights(request.user)
