"""The optional second factor: switched on with an app, asked for at sign-in, replaced by a recovery code, switched off."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from sessions.models import User

PASSWORD = "correct horse battery staple"
ACTIVATE = "/accounts/2fa/totp/activate/"


def code_of(secret: str, step: int = 0) -> str:
    """What an authenticator app shows now (RFC 6238); with `step`, what it shows that many half minutes later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.fixture(autouse=True)
def one_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code's half minute does not end between making it and giving it."""
    now = time.time() // 30 * 30 + 15
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def browser(owner: User, signed_in: Callable[..., Client]) -> Client:
    """The owner's, who has just given the password again."""
    client = signed_in(owner)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def switch_on(browser: Client) -> str:
    page = browser.get(ACTIVATE).content.decode()
    found = re.search(r'id="authenticator_secret"[^>]* value="([A-Z2-7]+)"', page)
    assert found
    assert browser.post(ACTIVATE, {"code": code_of(found[1])}).status_code == 302
    return found[1]


def sign_in(owner: User) -> Client:
    client = Client()
    response = client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert response.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session
    return client


def test_with_it_the_password_alone_lets_nobody_in(owner: User, browser: Client) -> None:
    secret = switch_on(browser)
    cache.clear()  # the code that switched it on counts as used
    client = sign_in(owner)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert 'class="hl-error"' in wrong.content.decode()
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).headers["Location"] == "/"
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_a_code_is_good_once(owner: User, browser: Client) -> None:
    secret = switch_on(browser)
    cache.clear()
    first, second, code = sign_in(owner), sign_in(owner), code_of(secret)
    assert first.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert second.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_a_recovery_code_lets_in_once(owner: User, browser: Client) -> None:
    switch_on(browser)
    page = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    shown = re.search(r"<textarea[^>]*>([^<]+)</textarea>", page)
    assert shown
    code = shown[1].split()[0]
    assert sign_in(owner).post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert sign_in(owner).post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_it_is_switched_off_again(owner: User, browser: Client) -> None:
    switch_on(browser)
    assert browser.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.exists()
    response = Client().post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert response.headers["Location"] == "/"


def test_a_wrong_code_does_not_switch_it_on(browser: Client) -> None:
    browser.get(ACTIVATE)
    assert 'class="hl-error"' in browser.post(ACTIVATE, {"code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()


def test_the_password_is_asked_for_again_before_anything_is_changed(
    owner: User, signed_in: Callable[..., Client]
) -> None:
    assert signed_in(owner).get(ACTIVATE).headers["Location"].startswith("/accounts/reauthenticate/")


def test_the_admin_has_no_door_of_its_own(make_user: Callable[..., User]) -> None:
    """Django's sign-in for admins would ask for neither the second factor nor a confirmed address."""
    admin = make_user("Ada", is_staff=True, is_superuser=True)
    client = Client()
    response = client.post("/admin/login/", {"username": admin.email, "password": PASSWORD})
    assert response.headers["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "path", ["", "totp/activate/", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"]
)
def test_its_pages_have_our_look(browser: Client, path: str) -> None:
    if path.split("/", 1)[-1] != "activate/":
        switch_on(browser)
    page = browser.get(f"/accounts/2fa/{path}", follow=True).content.decode()
    assert 'aria-label="Your account"' in page
    # The app's, which sets the theme before anything is drawn; none of the library's.
    assert all(tag.startswith('<script src="/static/app/assets/theme-') for tag in re.findall("<script[^>]*>", page))
