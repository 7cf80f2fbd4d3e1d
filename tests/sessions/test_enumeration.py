"""What a stranger learns of who has an account: nothing from signing in or a forgotten password, whatever mail does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from pytest_django import Settings

from sessions.models import User

pytestmark = pytest.mark.usefixtures("worker")

PASSWORD = "correct horse battery staple"
NOBODY = "nobody@example.com"


@pytest.fixture(params=["none", "mandatory"])
def confirming(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Without and with an SMTP server."""
    settings.ACCOUNT_EMAIL_VERIFICATION = request.param
    return str(request.param)


def seen(answer: Any, *addresses: str) -> tuple[int, str | None, str]:
    """What somebody sees, without what differs each time anyhow."""
    text = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.content.decode())
    for address in addresses:
        text = text.replace(address, "ADDRESS")
    return answer.status_code, answer.headers.get("Location"), text


def test_a_wrong_password_looks_like_a_wrong_address(owner: User, confirming: str) -> None:
    there, nobody = (
        seen(Client().post("/accounts/login/", {"login": email, "password": "wrong one"}), owner.email, NOBODY)
        for email in (owner.email, NOBODY)
    )
    assert there == nobody
    assert "The e-mail address or the password is wrong." in there[2]


def test_an_account_that_is_switched_off_shows_only_to_who_has_its_password(owner: User, confirming: str) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    there, nobody = (
        seen(Client().post("/accounts/login/", {"login": email, "password": "wrong one"}), owner.email, NOBODY)
        for email in (owner.email, NOBODY)
    )
    assert there == nobody


def test_a_forgotten_password_is_answered_alike(owner: User, confirming: str) -> None:
    answers = []
    for email in (owner.email, NOBODY):
        browser = Client()
        asked = browser.post("/accounts/password/reset/", {"email": email})
        answers.append((seen(asked, email), seen(browser.get(asked.headers["Location"]), email)))
    assert answers[0] == answers[1]
    # As much work either way: both get a mail.
    assert [message.to for message in mail.outbox] == [[owner.email], [NOBODY]]
    assert "/accounts/password/reset/key/" in mail.outbox[0].body
    assert "/accounts/password/reset/key/" not in mail.outbox[1].body


def test_where_mail_confirms_addresses_signing_up_tells_nothing_either(owner: User, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    there, new = (
        seen(
            Client().post("/accounts/signup/", {"name": "Nina", "email": email, "password1": PASSWORD}),
            owner.email,
            "nina@example.com",
        )
        for email in (owner.email, "nina@example.com")
    )
    assert there == new
    assert there[:2] == (302, "/accounts/confirm-email/")
    assert [message.to for message in mail.outbox] == [[owner.email], ["nina@example.com"]]
    assert not re.search(r"confirm-email/\S{10}", str(mail.outbox[0].body))
    assert User.objects.filter(email=owner.email).count() == 1


def test_where_there_is_no_mail_signing_up_must_say_that_an_address_is_taken(owner: User) -> None:
    """Nothing else can be said to who made the account long ago: no mail would arrive. Tries are limited."""
    answer = Client().post("/accounts/signup/", {"name": "Nina", "email": owner.email, "password1": PASSWORD})
    assert answer.status_code == 200
    assert b"There is an account with this e-mail address already." in answer.content
    tries = [
        Client().post("/accounts/signup/", {"name": "N", "email": owner.email, "password1": PASSWORD}).status_code
        for _ in range(settings.MAX_SIGN_UPS_PER_HOUR)
    ]
    assert tries[-1] == 429
