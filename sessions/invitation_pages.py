"""The page behind an invitation's link: who invites to what, and the answer to it.

Looking changes nothing: programs that fetch links from mails do not accept. A wrong token is told nothing.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import invitations
from sessions.invitations import IN_WORDS, Standing
from sessions.models import Invitation, LiveSession, Member, User
from sessions.rates import address_of

TITLES: dict[Standing, str] = {
    Standing.USED_UP: "This invitation was used already",
    Standing.EXPIRED: "This invitation has expired",
    Standing.REVOKED: "This invitation was taken back",
    Standing.DECLINED: "This invitation was declined",
    Standing.ARCHIVED: "This session was archived",
}
GONE = 410
PATH = re.compile(r"/invitations/([A-Za-z0-9_-]{1,200})\Z")


def page_path(token: str) -> str:
    """The page's address on this server."""
    return reverse("invitation", args=[token])


def token_of(address: str | None) -> str | None:
    """The token in an address of this page, as `next` carries it through signing in and up."""
    found = PATH.match(urlsplit(address).path) if address else None
    return found[1] if found else None


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@ensure_csrf_cookie
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows it; POST with `answer` = `accept` or `decline` answers it."""
    try:
        found = invitations.find(token, address_of(request))
    except LiveError as error:
        limited = error.code == ErrorCode.RATE_LIMITED
        title = "Too many wrong links" if limited else "This invitation does not work"
        return _closed(request, title, error.message, error.http_status)
    user = request.user if isinstance(request.user, User) else None
    if user is not None and Member.objects.filter(session=found.session, user=user).exists():
        # Who has just joined by it, also while signing up, wants the session; another is told that it stays unused.
        if request.method == "POST" or found.used_by.filter(user=user).exists():
            return redirect(_session_path(found.session))
        about = {"path": _session_path(found.session), "session": found.session}
        return render(request, "sessions/invitation_member.html", about)
    standing = invitations.standing_of(found)
    if standing != Standing.OPEN:
        return _closed(request, TITLES[standing], IN_WORDS[standing], GONE)
    if request.method == "POST":
        return _answer(request, found, user, token)
    return render(request, "sessions/invitation.html", _about(found, token))


def _answer(request: HttpRequest, found: Invitation, user: User | None, token: str) -> HttpResponse:
    answer = request.POST.get("answer")
    try:
        if answer == "decline":
            invitations.decline(found)
            return _closed(request, "You declined", "Nobody was told more than that. You can close this page.", 200)
        if answer != "accept":
            return redirect(page_path(token))
        if user is None:
            return redirect(_with_next("account_login", token))
        invitations.accept(found, user)
    except LiveError as error:
        return _closed(request, "You did not join", error.message, error.http_status)
    return redirect(_session_path(found.session))


def _about(found: Invitation, token: str) -> dict[str, object]:
    return {
        "invitation": found,
        "inviter": found.inviter,
        "session": found.session,
        "sign_in": _with_next("account_login", token),
        "sign_up": _with_next("account_signup", token) if settings.SIGNUP in ("open", "invite") else None,
        "by_iam": settings.IAM_CLIENT_ID and settings.IAM_SIGNUP in ("open", "invite"),
    }


def _closed(request: HttpRequest, title: str, advice: str, status: int) -> HttpResponse:
    return render(request, "sessions/invitation_closed.html", {"title": title, "advice": advice}, status=status)


def _with_next(name: str, token: str) -> str:
    return f"{reverse(name)}?{urlencode({'next': page_path(token)})}"


def _session_path(session: LiveSession) -> str:
    return reverse("session", args=[session.slug or session.pk])
