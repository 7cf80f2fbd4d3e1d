"""The pages. What is on them is the app's (clients/js/web); here is who gets them, and what they are told to begin with."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_safe

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzolive.bundle import BundleMissing, entry
from hanzolive.forms import FirstAdminForm
from sessions.access import Action, find_session
from sessions.accounts import create_first_admin, is_setup_token
from sessions.api.errors import address_not_found, error_response
from sessions.models import LiveSession, User
from sessions.queries import me_wire

VERSION = version("hanzo-live-server")


@require_safe
@ensure_csrf_cookie
def home(request: HttpRequest) -> HttpResponse:
    """The list of sessions; what this is, for those who are not signed in."""
    if not request.user.is_authenticated:
        return render(request, "pages/landing.html", {"signup_open": settings.SIGNUP == "open"})
    return app_page(request)


@require_safe
@login_required
@ensure_csrf_cookie
def session(request: HttpRequest, ref: str) -> HttpResponse:
    """One session. The page for those who are not in it is the one for what does not exist."""
    assert isinstance(request.user, User)
    try:
        found, _ = find_session(request.user, ref, Action.READ)
    except LiveError as error:
        raise Http404 from error
    return app_page(request, found)


def app_page(request: HttpRequest, found: LiveSession | None = None) -> HttpResponse:
    """The app's page with what it is told to begin with."""
    try:
        entry("src/app.tsx")
    except BundleMissing as error:
        return trouble(request, 503, "The page is not there yet", str(error))
    return render(request, "pages/app.html", {"config": app_config(request, found)})


def app_config(request: HttpRequest, found: LiveSession | None) -> dict[str, Any]:
    """What the app reads from `#live-config`."""
    assert isinstance(request.user, User)
    return {
        "user": me_wire(request.user),
        "version": VERSION,
        "model": settings.NODE_MODEL or None,
        "session": {"id": str(found.pk), "slug": found.slug, "title": found.title} if found else None,
        "urls": {
            "home": reverse("home"),
            "session": "/s/{ref}",
            "socket": "/v1/live",
            "api": "/v1/",
            "docs": reverse("docs"),
            "sign_in": reverse("account_login"),
            "sign_out": reverse("account_logout"),
            "profile": reverse("profile"),
            "tokens": reverse("tokens"),
            "change_password": reverse("account_change_password"),
            "admin": reverse("admin:index") if request.user.is_staff else None,
        },
    }


@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponseBase:
    """The one-time link that makes the first admin."""
    if not is_setup_token(token):
        return trouble(
            request,
            404,
            "This link does not work (any more)",
            "It makes the first account of a server, once. Sign in, or restart the server while it has no accounts to see a new link.",
        )
    form = FirstAdminForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = create_first_admin(token, **form.fields_of_admin())
        except LiveError as error:
            return trouble(request, 404, "This link does not work any more", error.message)
        login(request, user, settings.AUTHENTICATION_BACKENDS[0])
        return redirect("home")
    return render(request, "pages/setup.html", {"form": form}, status=400 if form.errors else 200)


# What went wrong --------------------------------------------------------------------------------------------------


def trouble(request: HttpRequest, status: int, title: str, advice: str) -> HttpResponse:
    """A page that says what is wrong and what to do."""
    return render(request, "pages/trouble.html", {"title": title, "advice": advice}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    message = "The server did not understand this request. Check its address, host name and size."
    if is_api(request):
        return error_response(LiveError(ErrorCode.BAD_REQUEST, message))
    # Not through the page's template: it asks for the host name, which may be what was wrong.
    return HttpResponse(message, status=400, content_type="text/plain; charset=utf-8")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return error_response(LiveError(ErrorCode.FORBIDDEN, "You may not do this."))
    return trouble(
        request, 403, "You may not see this", "Sign in with an account that may, or ask whoever runs this server."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return error_response(address_not_found())
    return trouble(
        request,
        404,
        "Nothing is here",
        "The address may be wrong, or it belongs to a session that you are not a member of. Its owner can add you.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    if is_api(request):
        return error_response(
            LiveError(ErrorCode.INTERNAL, "Something went wrong on our side; it was logged. Try again.")
        )
    # Plain words: what is broken may be what the page needs.
    message = "Something went wrong on our side; it was logged. Go back and try again."
    return HttpResponse(message, status=500, content_type="text/plain; charset=utf-8")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if is_api(request):
        return error_response(
            LiveError(ErrorCode.FORBIDDEN, "The CSRF token is missing or wrong. Reload the page, then try again.")
        )
    return trouble(
        request,
        403,
        "This form is too old",
        "Go back, reload the page and send it again. Cookies must be allowed for this site.",
    )


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/v1/")
