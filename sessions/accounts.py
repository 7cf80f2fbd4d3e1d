"""How people come to have an account: allauth's adapter, and the first admin's one-time link.

Not for the forms (`account_forms`), nor for what programs use (`authentication`).
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sites.shortcuts import get_current_site
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import account_mail, invitations
from sessions.addresses import is_taken, trust_address
from sessions.authentication import digest_of
from sessions.invitation_pages import token_of
from sessions.models import Invitation, User
from sessions.rates import address_of
from sessions.text import is_address


class AccountAdapter(DefaultAccountAdapter):
    """allauth with our rule of who may sign up, our user's name, and our words."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is wrong. Try again, or ask for a new password.",
        "email_taken": "There is an account with this e-mail address already. Sign in, or ask for a new password.",
        "unknown_email": "No account has this e-mail address.",
    }

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Whether the address is confirmed now: not where another account came to have it in the meantime."""
        return not is_taken(email_address.email, email_address.user) and super().confirm_email(request, email_address)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        site = get_current_site(self.request)
        about = {"request": self.request, "email": email, "current_site": site, **context}
        account_mail.queue(self.render_mail(template_prefix, email, about))

    def clean_email(self, email: str) -> str:
        if not is_address(email):
            raise forms.ValidationError("This is no e-mail address; check it.", code="invalid")
        return email

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invite":
            return invitation_at(request, get_next_redirect_url(request)) is not None
        return settings.SIGNUP == "open"

    def save_user(
        self, request: HttpRequest, user: AbstractBaseUser, form: forms.BaseForm, commit: bool = True
    ) -> AbstractBaseUser:
        assert isinstance(user, User)
        user.name = form.cleaned_data["name"]

        def make() -> User:
            saved = super(AccountAdapter, self).save_user(request, user, form, commit)
            assert isinstance(saved, User)
            return saved

        return with_invitation(request, get_next_redirect_url(request), settings.SIGNUP, make)


def with_invitation(request: HttpRequest, next_url: str | None, signup: str, make: Callable[[], User]) -> User:
    """The account that `make` makes. Where people come by invitation, it stands and falls with its use of theirs: there
    are no more accounts than were invited."""
    if signup != "invite":
        return make()
    invitation = invitation_at(request, next_url)
    if invitation is None:
        raise ImmediateHttpResponse(redirect(next_url or "home"))
    with transaction.atomic():
        user = make()
        try:
            invitations.accept(invitation, user)
        except LiveError as error:
            raise ImmediateHttpResponse(redirect(next_url or "home")) from error
    return user


def invitation_at(request: HttpRequest, next_url: str | None) -> Invitation | None:
    """The open invitation that somebody came with: its page is the one they go on to."""
    token = token_of(next_url)
    if token is None:
        return None
    try:
        invitation = invitations.find(token, address_of(request))
        invitations.require_open(invitation)
    except LiveError:
        return None  # its page says why
    return invitation


def new_setup_token() -> str:
    """A token for `/setup/<token>`, which makes the first admin. Any earlier one ends. Only its digest is kept."""
    token = secrets.token_urlsafe(32)
    path = _setup_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(digest_of(token))
    return token


def is_setup_token(token: str) -> bool:
    """Whether `token` may make the first admin now: it is the newest one, and there are no users."""
    try:
        kept = _setup_file().read_text().strip()
    except OSError:
        return False
    return hmac.compare_digest(kept, digest_of(token)) and not User.objects.exists()


def create_first_admin(token: str, *, name: str, email: str, password: str) -> User:
    """The first admin; the link is gone afterwards. Raises LiveError `not_found` for a link that is no good (any more)."""
    with transaction.atomic():
        if not is_setup_token(token):
            raise LiveError(
                ErrorCode.NOT_FOUND, "This link was used already or is too old. Restart the server to see a new one."
            )
        # Whoever unlinks the file has the link's one use, also when two came at the same time.
        try:
            _setup_file().unlink()
        except FileNotFoundError as error:
            raise LiveError(
                ErrorCode.NOT_FOUND, "This link was used already. Sign in with the account that it made."
            ) from error
        admin = User.objects.create_superuser(email, password, name=name)
        trust_address(admin)
        return admin


def _setup_file() -> Path:
    return Path(settings.DATA_DIR) / "setup-token"
