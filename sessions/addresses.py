"""The e-mail address of an account: changing it, and taking it as confirmed.

Not for signing up with one (`accounts`); how mail goes out is in the settings.
"""

from __future__ import annotations

from allauth.account.fields import EmailField
from allauth.account.forms import AddEmailForm
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from sessions.models import User

# An account of somebody without an address of their own has one here, where no mail goes (RFC 6761).
NOWHERE = "@iam.invalid"


class ChangeEmailForm(AddEmailForm):
    """Another e-mail address. It counts once it is confirmed, or at once where we send no mail to confirm it by."""

    email = EmailField(label="New e-mail address", required=True)

    @property
    def owner(self) -> User:
        assert isinstance(self.user, User)
        return self.user

    def clean_email(self) -> str:
        email: str = super().clean_email()
        # allauth would take it, and tell its owner by mail; we may have no way to send that.
        if is_taken(email, self.owner):
            raise forms.ValidationError("There is an account with this e-mail address already.", code="email_taken")
        return email

    def save(self, request: HttpRequest) -> EmailAddress:
        if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory":
            waiting: EmailAddress = super().save(request)
            return waiting
        user, email = self.owner, self.cleaned_data["email"]
        with transaction.atomic():
            EmailAddress.objects.filter(user=user).delete()
            user.email = email
            user.save(update_fields=["email"])
            return EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)


def is_taken(email: str, by_other_than: User) -> bool:
    """Whether another account signs in with this address."""
    return User.objects.filter(email__iexact=email).exclude(pk=by_other_than.pk).exists()


def replace_address(user: User, email: str) -> None:
    """Give the account another address, taken as confirmed: whoever runs the server says so."""
    with transaction.atomic():
        EmailAddress.objects.filter(user=user).delete()
        user.email = email
        user.save(update_fields=["email"])
        trust_address(user)


def trust_address(user: User) -> None:
    """Take the user's address as confirmed: whoever runs the server gave it."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True, "verified": True})
