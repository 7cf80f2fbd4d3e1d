"""The page of one's own API tokens. REST does the same (`api.account`); the verbs are in `authentication`."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from hanzo_live.protocol.errors import LiveError
from sessions.access import id_of
from sessions.authentication import create_token, revoke_token, token_not_found
from sessions.models import TokenScope, User
from sessions.text import MAX_NAME


class TokenForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, help_text="What it is for, such as “laptop” or “nightly report”.")
    scope = forms.ChoiceField(label="It may", choices=TokenScope.choices, initial=TokenScope.WRITE)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens in force, a form for a new one, and, this once, the new one."""
    user = request.user
    assert isinstance(user, User)
    if "revoke" in request.POST:
        return _revoke(request, user)
    form, made = TokenForm(request.POST if request.method == "POST" else None), None
    if form.is_bound and form.is_valid():
        try:
            _, made = create_token(user, form.cleaned_data["name"], TokenScope(form.cleaned_data["scope"]))
            form = TokenForm()
        except LiveError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    in_force = user.api_tokens.filter(revoked_at=None).order_by("-created_at", "-pk")
    about = {"form": form, "made": made, "tokens": in_force}
    return render(request, "account/tokens.html", about, status=400 if form.errors else 200)


def _revoke(request: HttpRequest, user: User) -> HttpResponse:
    try:
        token_id = id_of(request.POST["revoke"])
        if token_id is None:
            raise token_not_found()
        revoke_token(user, token_id)
    except LiveError:
        messages.error(request, "That token was revoked already.")
    else:
        messages.success(request, "The token is revoked; what used it is cut off.")
    return redirect("tokens")
