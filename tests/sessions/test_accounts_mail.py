"""How mail goes out, and what is confirmed by it: signing up, another address."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from pytest_django import Settings

from sessions.accounts import create_first_admin, new_setup_token
from sessions.models import User

pytestmark = pytest.mark.usefixtures("worker")

PASSWORD = "correct horse battery staple"
NAMES = ("EMAIL_BACKEND", "ACCOUNT_EMAIL_VERIFICATION", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_PORT")


def settings_with(folder: Path, **environment: str) -> dict[str, Any]:
    """What a process of these options has as Django's settings."""
    script = (
        f"import json; from hanzolive import settings; print(json.dumps({{n: getattr(settings, n) for n in {NAMES}}}))"
    )
    environ = {**os.environ, "DATA_DIR": str(folder), **environment}
    done = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def confirming(settings: Settings) -> None:
    """As with EMAIL_HOST set."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


def link_in(message: mail.EmailMessage) -> str:
    found = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(message.body))
    assert found
    return found[1]


# How it goes out --------------------------------------------------------------------------------------------------


def test_mail_is_printed_or_kept_in_a_folder_and_then_nobody_needs_to_confirm(tmp_path: Path) -> None:
    printed = settings_with(tmp_path)
    assert printed["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
    kept = settings_with(tmp_path, EMAIL_FOLDER=str(tmp_path / "mail"))
    assert kept["EMAIL_BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"
    assert {printed["ACCOUNT_EMAIL_VERIFICATION"], kept["ACCOUNT_EMAIL_VERIFICATION"]} == {"none"}


@pytest.mark.parametrize(
    ("security", "tls", "ssl"), [("starttls", True, False), ("tls", False, True), ("none", False, False)]
)
def test_with_an_smtp_server_addresses_are_confirmed(tmp_path: Path, security: str, tls: bool, ssl: bool) -> None:
    sent = settings_with(tmp_path, EMAIL_HOST="mail.example.com", EMAIL_PORT="2525", EMAIL_SECURITY=security)
    assert sent == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
        "EMAIL_USE_TLS": tls,
        "EMAIL_USE_SSL": ssl,
        "EMAIL_PORT": 2525,
    }


# Signing up -------------------------------------------------------------------------------------------------------


def test_somebody_new_comes_in_once_the_link_in_the_mail_was_opened(db: None, confirming: None) -> None:
    client = Client()
    signed_up = client.post("/accounts/signup/", {"name": "Nina", "email": "nina@example.com", "password1": PASSWORD})
    assert signed_up.headers["Location"] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session
    login = {"login": "nina@example.com", "password": PASSWORD}
    assert client.post("/accounts/login/", login).headers["Location"] == "/accounts/confirm-email/"
    link = link_in(mail.outbox[0])
    assert "<form" in client.get(link).content.decode()  # a mail program that opens links confirms nothing
    assert not EmailAddress.objects.get().verified
    client.post(link)
    assert EmailAddress.objects.get().verified
    fresh = Client()
    assert fresh.post("/accounts/login/", login).headers["Location"] == "/"


def test_accounts_made_by_whoever_runs_the_server_need_no_confirming(
    db: None, confirming: None, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    create_first_admin(new_setup_token(), name="Ada", email="Ada@example.com", password=PASSWORD)
    response = Client().post("/accounts/login/", {"login": "ada@example.com", "password": PASSWORD})
    assert response.headers["Location"] == "/"
    assert not mail.outbox


# Another address --------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(owner: User, signed_in: Callable[..., Client]) -> Client:
    """The owner's, who has just given the password again."""
    client = signed_in(owner)
    EmailAddress.objects.create(user=owner, email=owner.email, primary=True, verified=True)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def change(client: Client, email: str) -> Any:
    return client.post("/accounts/email/", {"action_add": "1", "email": email})


def address(user: User) -> str:
    return User.objects.get(pk=user.pk).email


def test_without_smtp_another_address_counts_at_once(owner: User, browser: Client) -> None:
    assert change(browser, "New@example.com").status_code == 302
    assert address(owner) == "new@example.com"
    assert [row.email for row in EmailAddress.objects.filter(user=owner)] == ["new@example.com"]
    assert "new@example.com" in browser.get("/accounts/email/").content.decode()
    assert Client().login(email="new@example.com", password=PASSWORD)


def test_with_smtp_another_address_counts_when_its_link_was_opened(
    owner: User, browser: Client, confirming: None
) -> None:
    change(browser, "new@example.com")
    assert address(owner) == "olga@example.com"
    assert "on its way to <strong>new@example.com" in browser.get("/accounts/email/").content.decode()
    sent = next(message for message in mail.outbox if message.to == ["new@example.com"])
    browser.post(link_in(sent))
    assert address(owner) == "new@example.com"


def test_a_change_that_waits_is_taken_back(owner: User, browser: Client, confirming: None) -> None:
    change(browser, "new@example.com")
    browser.post("/accounts/email/", {"action_remove": "1", "email": "new@example.com"})
    assert "on its way" not in browser.get("/accounts/email/").content.decode()
    browser.post(link_in(mail.outbox[0]))
    assert address(owner) == "olga@example.com"


@pytest.mark.parametrize("email", ["tariq@example.com", "TARIQ@Example.com", "no", "olga@example.com", ""])
def test_an_address_that_cannot_be_had_is_refused_with_the_reason(
    owner: User, teammate: User, browser: Client, email: str
) -> None:
    response = change(browser, email)
    assert response.status_code == 200
    assert 'class="hl-error"' in response.content.decode()
    assert address(owner) == "olga@example.com"


def test_an_address_that_somebody_took_while_the_link_was_on_its_way_stays_theirs(
    owner: User, browser: Client, confirming: None, make_user: Callable[..., User]
) -> None:
    change(browser, "nina@example.com")
    make_user("Nina")
    browser.post(link_in(mail.outbox[0]))
    assert address(owner) == "olga@example.com"


def test_the_password_is_asked_for_again_first(owner: User, signed_in: Callable[..., Client]) -> None:
    response = change(signed_in(owner), "new@example.com")
    assert response.headers["Location"].startswith("/accounts/reauthenticate/")
    assert address(owner) == "olga@example.com"
