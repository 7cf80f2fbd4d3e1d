"""The forms of our own pages; those for signing in and up are allauth's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password

from sessions.account_forms import NameField
from sessions.models import User
from sessions.text import is_address


class FirstAdminForm(forms.Form):
    """The account that may administer a new server."""

    name = NameField()
    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=password_validators_help_text_html,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "email" in cleaned and not is_address(cleaned["email"]):
            self.add_error("email", "This is no e-mail address; check it.")
        if "password" in cleaned:
            about = User(email=cleaned.get("email", ""), name=cleaned.get("name", ""))
            try:
                validate_password(cleaned["password"], about)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def fields_of_admin(self) -> dict[str, str]:
        """What `create_first_admin` takes."""
        return {name: self.cleaned_data[name] for name in ("name", "email", "password")}
