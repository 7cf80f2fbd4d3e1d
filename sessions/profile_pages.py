"""The page of one's own profile, and the pictures of everybody. What may be changed and how is in `profile`."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hanzo_live.protocol.errors import LiveError
from sessions.avatars import remove_avatar
from sessions.models import User
from sessions.profile import change_profile
from sessions.text import MAX_NAME

PICTURE_HEADERS = {
    # The name is new with each picture.
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
}


class ProfileForm(forms.Form):
    name = forms.CharField(max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    avatar = forms.FileField(
        label="Picture",
        required=False,
        help_text="PNG, JPEG or WebP, at most 2 MB. It is cut to a square.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name and picture."""
    user = request.user
    assert isinstance(user, User)
    if "remove" in request.POST:
        remove_avatar(user)
        messages.success(request, "Your picture is gone.")
        return redirect("profile")
    sent = request.method == "POST"
    form = ProfileForm(request.POST, request.FILES) if sent else ProfileForm(initial={"name": user.name})
    if sent and form.is_valid():
        file = form.cleaned_data["avatar"]
        try:
            change_profile(user, name=form.cleaned_data["name"], avatar=file.read() if file else None)
        except LiveError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("profile")
    about = {"form": form, "initials": initials(user.name)}
    return render(request, "account/profile.html", about, status=400 if form.errors else 200)


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody's picture, for whoever has been told its address."""
    try:
        with default_storage.open(f"avatars/{name}.webp") as file:
            data = file.read()
    except OSError as error:
        raise Http404 from error
    return HttpResponse(data, content_type="image/webp", headers=PICTURE_HEADERS)


def initials(name: str) -> str:
    """What stands for people without a picture: at most two letters, of the first and the last word (as in the app)."""
    words = name.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
