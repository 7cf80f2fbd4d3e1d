"""The forms of signing up, signing in and asking for a new password: allauth's, in this product's words.

Not for changing an address (`addresses`) or a profile (`profile_pages`).
"""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm, ResetPasswordForm, SignupForm
from django import forms

from hanzo_live.protocol.errors import LiveError
from sessions.text import MAX_NAME, clean_line


class NameField(forms.CharField):
    """What others call somebody."""

    def __init__(self) -> None:
        super().__init__(max_length=MAX_NAME, label="Name", widget=forms.TextInput(attrs={"autocomplete": "name"}))

    def clean(self, value: Any) -> str:
        try:
            return clean_line(super().clean(value), "name", MAX_NAME, required=True)
        except LiveError as error:
            raise forms.ValidationError(error.message) from error


class SignUpForm(SignupForm):
    """Name, e-mail address, password."""

    name = NameField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_fields(self, email="email")


class SignInForm(LoginForm):
    """E-mail address, password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_fields(self, email="login")


class NewPasswordForm(ResetPasswordForm):
    """The e-mail address of the account whose password is forgotten."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_fields(self, email="email")


def _name_fields(form: forms.Form, email: str) -> None:
    """Calls the field `email` what all pages call it. A label needs no placeholder that repeats it."""
    form.fields[email].label = "E-mail"
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
