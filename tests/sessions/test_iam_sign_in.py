"""Signing in with a browser at the issuer: the whole code flow, against a provider that speaks real HTTP."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.core import mail
from django.core.cache import cache
from django.test import Client
from PIL import Image
from pytest_django import Settings

from sessions import invitations
from sessions.addresses import trust_address
from sessions.iam.accounts import NOWHERE
from sessions.models import LiveSession, Member, User
from tests.rest import call
from tests.sessions.oidc_provider import AUDIENCE, CLIENT_ID, CLIENT_SECRET, LONG_AGO, Answer, Provider

LOGIN = "/accounts/oidc/iam/login/"
CALLBACK = "/accounts/oidc/iam/login/callback/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def provider(db: None, settings: Settings) -> Iterator[Provider]:
    provider = Provider()
    provider.add_key("one")
    settings.IAM_ISSUERS = [provider.issuer, "https://hanzo.id"]
    settings.IAM_AUDIENCES = [AUDIENCE]
    settings.IAM_CLIENT_ID, settings.IAM_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.IAM_SIGNUP = "open"
    yield provider
    provider.stop()


def begin(browser: Client, query: str = "") -> str:
    """Press the button; where one is sent to."""
    page = browser.post(LOGIN + query)
    assert page.status_code == 200, page.content
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', page.content.decode())
    assert found, page.content
    return html.unescape(found[1])


def at_provider(address: str, choice: str = "yes") -> str:
    """Say yes or no there; the address on our server that one comes back to."""
    page = httpx.get(address)
    assert page.status_code == 200, page.text
    found = re.search(rf'id="{choice}" href="([^"]+)"', page.text)
    assert found
    parts = urlsplit(html.unescape(found[1]))
    assert parts.path == CALLBACK
    return f"{parts.path}?{parts.query}"


def sign_in(browser: Client, query: str = "") -> Any:
    return browser.get(at_provider(begin(browser, query)))


def who(browser: Client) -> User | None:
    key = browser.session.get("_auth_user_id")
    return User.objects.get(pk=key) if key else None


# The way in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ways", [["client_secret_basic"], ["client_secret_post"], ["none"]], ids=str)
def test_somebody_new_signs_in_and_comes_back_as_the_same(
    provider: Provider, settings: Settings, ways: list[str]
) -> None:
    provider.pages["/.well-known/openid-configuration"]["token_endpoint_auth_methods_supported"] = ways
    settings.IAM_CLIENT_SECRET = "" if ways == ["none"] else CLIENT_SECRET
    browser = Client()
    assert sign_in(browser).headers["Location"] == "/"
    user = who(browser)
    assert user is not None
    assert (user.name, user.email, user.is_staff) == ("Ines", "ines@example.com", False)
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert provider.asked == ["/.well-known/openid-configuration", "/authorize", "/token", "/keys"]
    other = Client()
    sign_in(other)
    assert who(other) == user
    assert "/.well-known/openid-configuration" not in provider.asked[4:]


def test_the_button_is_there_only_when_it_is_configured(provider: Provider, settings: Settings) -> None:
    for page in ("/accounts/login/?next=/s/the-plan", "/accounts/signup/?next=/s/the-plan"):
        text = Client().get(page).content.decode()
        assert "Continue with Hanzo" in text
        assert f'action="{LOGIN}?process=login&amp;next=%2Fs%2Fthe-plan"' in text
    settings.IAM_NAME = "Acme <SSO>"
    assert "Continue with Acme &lt;SSO&gt;" in Client().get("/accounts/login/").content.decode()
    settings.IAM_CLIENT_ID = ""
    for page in ("/accounts/login/", "/accounts/signup/"):
        assert "Continue with" not in Client().get(page).content.decode()
    for path in (LOGIN, CALLBACK, "/accounts/oidc/other/login/"):
        assert Client().post(path).status_code == 404
    assert Client().get("/accounts/connections/").status_code == 404


def test_one_goes_on_to_where_one_wanted_to_be_on_this_server_only(provider: Provider) -> None:
    assert sign_in(Client(), "?next=/s/the-plan").headers["Location"] == "/s/the-plan"
    assert sign_in(Client(), "?next=https://evil.example/").headers["Location"] == "/"


def test_an_issuer_is_not_added_in_the_admin_panel(provider: Provider) -> None:
    for model in (SocialApp, SocialAccount, SocialToken):
        assert not admin.site.is_registered(model)
    SocialApp.objects.create(provider="openid_connect", provider_id="evil", name="Evil", client_id="x")
    assert "Evil" not in Client().get("/accounts/login/").content.decode()
    assert Client().post("/accounts/oidc/evil/login/").status_code == 404


def test_a_link_begins_nothing_and_chooses_nothing(provider: Provider) -> None:
    browser = Client()
    assert "<form" in browser.get(LOGIN).content.decode()
    assert Client(enforce_csrf_checks=True).post(LOGIN).status_code == 403
    asked = begin(browser, "?auth_params=redirect_uri%3Dhttps%3A%2F%2Fevil.example&scope=admin&process=redirect")
    query = parse_qs(urlsplit(asked).query)
    assert query["redirect_uri"] == [f"http://testserver{CALLBACK}"]
    assert sorted(query["scope"][0].split()) == ["email", "openid", "profile"]
    browser.get(at_provider(asked))
    assert who(browser) is not None


def test_each_sign_in_has_a_state_a_nonce_and_a_challenge_of_its_own(provider: Provider) -> None:
    browser = Client()
    first, second = (parse_qs(urlsplit(begin(browser)).query) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
    assert first["code_challenge_method"] == ["S256"]


# Who is not let in ------------------------------------------------------------------------------------------------


def assert_refused(answer: Any, browser: Client, status: int, words: str) -> None:
    text = html.unescape(answer.content.decode())
    assert answer.status_code == status, text
    assert words in text
    assert "To the sign-in" in text
    assert who(browser) is None


def test_who_says_no_there_is_told_that_nothing_happened(provider: Provider) -> None:
    browser = Client()
    assert_refused(browser.get(at_provider(begin(browser), "no")), browser, 200, "You did not sign in")


def test_who_begins_again_still_gets_to_where_they_wanted_to_be(provider: Provider) -> None:
    browser, wanted = Client(), "?next=/s/the-plan"
    again = 'href="/accounts/login/?next=/s/the-plan"'
    assert again in browser.get(at_provider(begin(browser, wanted), "no")).content.decode()
    provider.token_answer = Answer(500, "text/html", b"")
    assert again in sign_in(browser, wanted).content.decode()
    provider.token_answer, provider.claims = None, {"owner": None}
    assert again in sign_in(browser, wanted).content.decode()
    cache.clear()
    provider.pages.clear()
    assert again in browser.post(LOGIN + wanted).content.decode()
    assert "evil" not in browser.post(LOGIN + "?next=https://evil.example").content.decode()


def test_a_state_counts_once_and_in_the_browser_that_it_was_made_for(provider: Provider) -> None:
    browser, other = Client(), Client()
    back = at_provider(begin(browser))
    assert_refused(other.get(back), other, 400, "This sign-in is over")
    assert browser.get(back).status_code == 302
    browser.post("/accounts/logout/")
    assert_refused(browser.get(back), browser, 400, "This sign-in is over")
    for query in ("", "?code=x", "?code=x&state=y", "?error=server_error"):
        assert_refused(other.get(CALLBACK + query), other, 400, "This sign-in is over")
    assert User.objects.count() == 1


def test_the_code_of_another_sign_in_is_refused_by_its_challenge(provider: Provider) -> None:
    victim, attacker = Client(), Client()
    stolen = parse_qs(urlsplit(at_provider(begin(victim))).query)["code"][0]
    back = at_provider(begin(attacker))
    mine = parse_qs(urlsplit(back).query)["code"][0]
    assert_refused(attacker.get(back.replace(mine, stolen)), attacker, 403, "did not let you in (invalid_grant)")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"owner": None}, "it names no tenant (claim `owner`)"),
        ({"owner": ""}, "it names no tenant (claim `owner`)"),
        ({"owner": 7}, "it names no tenant (claim `owner`)"),
        ({"sub": ""}, "its claim `sub` is missing"),
        ({"iss": "https://evil.example"}, "its issuer is not allowed here"),
        ({"iss": "https://hanzo.id"}, "cannot be asked now"),  # allowed, but not the one that was asked
        ({"aud": AUDIENCE}, "Audience doesn't match"),  # for the API, not for this
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "the id_token is another one's"),
        ({"nonce": "another"}, "it was made for another sign-in"),
        ({"nonce": None}, "it was made for another sign-in"),
        ({"exp": LONG_AGO}, "expired"),
    ],
    ids=str,
)
def test_an_id_token_that_is_not_right_lets_nobody_in(
    provider: Provider, settings: Settings, claims: dict[str, Any], words: str
) -> None:
    if claims.get("iss") == "https://hanzo.id":
        cache.set("iam-away:https://hanzo.id", True, 60)
    provider.claims = claims
    browser = Client()
    answer = sign_in(browser)
    assert_refused(answer, browser, 503 if words == "cannot be asked now" else 403, words)
    assert not User.objects.exists()


def test_an_id_token_that_somebody_else_signed_lets_nobody_in(provider: Provider) -> None:
    provider.add_key("theirs", published=False)
    provider.private["one"] = provider.private["theirs"]
    browser = Client()
    assert_refused(sign_in(browser), browser, 403, "is not accepted here: Signature verification failed")


def test_only_people_of_the_named_tenants_come_in_where_some_are_named(provider: Provider, settings: Settings) -> None:
    settings.IAM_OWNERS = ["acme"]
    browser = Client()
    assert_refused(sign_in(browser), browser, 403, "people of its `owner` may not come in here")
    provider.claims = {"owner": "acme"}
    assert sign_in(browser).status_code == 302


# The provider is not well -----------------------------------------------------------------------------------------


def test_a_provider_that_is_away_is_said_to_be_and_not_asked_again_at_once(
    provider: Provider, settings: Settings
) -> None:
    settings.IAM_ISSUERS = ["http://127.0.0.1:9"]
    browser = Client()
    for _ in range(2):
        assert_refused(browser.post(LOGIN), browser, 503, "127.0.0.1 cannot be asked now")


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize("value", [None, "http://evil.example/", "ftp://127.0.0.1/", 7, "https://"], ids=str)
def test_endpoints_that_are_missing_or_not_safe_are_not_used(provider: Provider, name: str, value: Any) -> None:
    provider.pages["/.well-known/openid-configuration"][name] = value
    browser = Client()
    assert_refused(browser.post(LOGIN), browser, 503, "cannot be asked now")


def test_a_page_for_a_discovery_is_none(provider: Provider) -> None:
    del provider.pages["/.well-known/openid-configuration"]
    browser = Client()
    assert_refused(browser.post(LOGIN), browser, 503, "cannot be asked now")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(200, "text/html", b"<!doctype html>"), 503),
        (Answer(500, "application/json", b"{}"), 503),
        (Answer(200, "application/json", b"{"), 503),
        (Answer(200, "application/json", b"[]"), 503),
        (Answer(200, "application/json", b'{"a":' * 50_000), 503),
        (Answer(200, "application/json", b'{"access_token": "x", "id_token": "' + b"x" * 300_000 + b'"}'), 503),
        (Answer(200, "application/json", b"{}"), 403),
        (Answer(200, "application/json", b'{"access_token": "x"}'), 403),
        (Answer(200, "application/json", b'{"access_token": "x", "id_token": 7}'), 403),
        (Answer(200, "application/json", b'{"access_token": "x", "id_token": "a.b.c"}'), 403),
        (Answer(400, "application/json", b'{"error": "<script>alert(1)</script>"}'), 403),
        (Answer(400, "application/json", b'{"error": {"a": 1}}'), 403),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_whatever_it_answers_for_a_code_there_is_a_page_in_words(
    provider: Provider, answer: Answer, status: int
) -> None:
    provider.token_answer = answer
    browser = Client()
    got = sign_in(browser)
    assert_refused(got, browser, status, "")
    assert b"<script>alert" not in got.content


def test_an_error_that_it_sends_somebody_back_with_is_told(provider: Provider) -> None:
    browser = Client()
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    answer = browser.get(CALLBACK, {"error": "temporarily_unavailable", "state": state})
    assert_refused(answer, browser, 403, "did not let you in (temporarily_unavailable)")


# Who somebody is here ---------------------------------------------------------------------------------------------


def test_what_the_issuer_says_of_a_person_counts_at_the_first_time(provider: Provider) -> None:
    browser = Client()
    sign_in(browser)
    call(browser, "PATCH", "/v1/me", {"name": "Ines of Lisbon"})
    provider.claims = {"name": "Renamed", "email": "renamed@example.com"}
    sign_in(browser)
    user = who(browser)
    assert user is not None
    assert (user.name, user.email) == ("Ines of Lisbon", "ines@example.com")


@pytest.mark.parametrize("claims", [{"email_verified": None}, {"email_verified": False}, {"email_verified": "true"}])
def test_an_address_that_the_issuer_has_not_verified_is_nobodys(
    provider: Provider, owner: User, claims: dict[str, Any]
) -> None:
    trust_address(owner)
    provider.claims = {"email": owner.email, **claims}
    browser = Client()
    assert sign_in(browser).status_code == 302
    user = who(browser)
    assert user is not None
    assert user != owner
    assert user.email.endswith(NOWHERE)
    page = browser.get("/accounts/email/").content.decode()
    assert NOWHERE not in page
    assert "no e-mail address" in page


def test_its_word_that_an_address_is_verified_may_come_from_its_user_info(provider: Provider) -> None:
    provider.claims = {"email": None, "email_verified": None}
    provider.user_info = {"email": "Ines@Example.com", "email_verified": True, "owner": "other", "sub": "7f3a"}
    browser = Client()
    sign_in(browser)
    user = who(browser)
    assert user is not None
    assert user.email == "ines@example.com"
    assert SocialAccount.objects.get().extra_data["owner"] == "hanzo"


def test_the_user_info_of_somebody_else_is_not_listened_to(provider: Provider, owner: User) -> None:
    trust_address(owner)
    provider.claims = {"email": None, "email_verified": None}
    provider.user_info = {"email": owner.email, "email_verified": True, "sub": "somebody else"}
    browser = Client()
    sign_in(browser)
    assert who(browser) not in (None, owner)


def test_an_account_with_the_same_address_is_ones_own_where_both_sides_verified_it(
    provider: Provider, owner: User
) -> None:
    trust_address(owner)
    provider.claims = {"email": owner.email.upper()}
    for _ in range(2):
        browser = Client()
        assert sign_in(browser).status_code == 302
        assert who(browser) == owner
    assert owner.has_usable_password()
    assert SocialAccount.objects.get().user == owner


def with_second_factor(user: User) -> str:
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return secret


@pytest.mark.parametrize("case", ["never confirmed here", "an admin", "with a second factor", "switched off"])
def test_an_account_with_more_to_lose_is_not_given_for_an_address(provider: Provider, owner: User, case: str) -> None:
    if case != "never confirmed here":
        trust_address(owner)
    if case == "an admin":
        User.objects.filter(pk=owner.pk).update(is_staff=True)
    elif case == "with a second factor":
        with_second_factor(owner)
    elif case == "switched off":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    provider.claims = {"email": owner.email}
    browser = Client()
    answer = sign_in(browser)
    if case == "switched off":
        assert answer.headers["Location"] == "/accounts/inactive/"
        assert who(browser) is None
        return
    assert_refused(answer, browser, 409, "There is an account with the address olga@example.com here already.")
    assert not SocialAccount.objects.exists()


def test_one_connects_it_from_inside_and_disconnects_it_again(provider: Provider, owner: User) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    page = browser.get("/accounts/connections/").content.decode()
    assert "Connect Hanzo" in page
    # The password is asked for again, and what was begun goes on.
    assert sign_in(browser, "?process=connect").headers["Location"] == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    again = browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert again.headers["Location"] == "/accounts/connections/"
    elsewhere = Client()
    sign_in(elsewhere)
    assert who(elsewhere) == owner
    page = browser.get("/accounts/connections/").content.decode()
    assert "<bdi>Ines</bdi>" in page
    link = SocialAccount.objects.get()
    assert browser.post("/accounts/connections/", {"account": link.pk}).status_code == 302
    assert not SocialAccount.objects.exists()


def test_what_is_connected_to_one_account_is_not_connected_to_another(provider: Provider, owner: User) -> None:
    sign_in(Client())
    browser = Client()
    browser.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert sign_in(browser, "?process=connect").headers["Location"] == "/accounts/connections/"
    assert SocialAccount.objects.get().user != owner
    assert who(browser) == owner
    assert "connected to a different account" in browser.get("/accounts/connections/").content.decode()


def test_the_only_way_in_cannot_be_taken_away(provider: Provider) -> None:
    browser = Client()
    sign_in(browser)
    assert "<bdi>Ines</bdi></strong> of <bdi>hanzo</bdi>" in browser.get("/accounts/connections/").content.decode()
    refused = browser.post("/accounts/connections/", {"account": SocialAccount.objects.get().pk})
    assert b"no password set up" in refused.content
    assert SocialAccount.objects.exists()


def test_a_jwt_and_the_browser_are_the_same_person(provider: Provider, owner: User) -> None:
    def me(**claims: Any) -> Any:
        return call(Client(), "GET", "/v1/me", Authorization=f"Bearer {provider.sign(**claims)}")

    first = me().json()
    browser = Client()
    sign_in(browser)
    user = who(browser)
    assert user is not None
    assert str(user.pk) == first["id"]
    trust_address(owner)
    theirs = {"sub": "olga", "email": owner.email}
    assert me(**theirs).status_code == 409  # a JWT alone links nothing
    provider.claims = theirs
    sign_in(browser)
    assert me(**theirs).json()["id"] == str(owner.pk)


def test_the_same_subject_of_another_issuer_is_another_person(provider: Provider, settings: Settings) -> None:
    browser = Client()
    sign_in(browser)
    first = who(browser)
    other = Provider()
    try:
        other.add_key("one")
        settings.IAM_ISSUERS = [other.issuer]
        other.claims = {"email": "other@example.com"}
        sign_in(browser)
        assert who(browser) not in (None, first)
    finally:
        other.stop()


@pytest.mark.parametrize("verified", [True, None])
def test_nobody_is_asked_to_confirm_what_the_issuer_vouches_for_or_has_not_told(
    provider: Provider, settings: Settings, verified: bool | None
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    provider.claims = {"email_verified": verified}
    for _ in range(2):
        browser = Client()
        assert sign_in(browser).headers["Location"] == "/"
        assert who(browser) is not None
    assert mail.outbox == []


# Rights -----------------------------------------------------------------------------------------------------------


def test_an_admin_there_is_none_here_unless_the_operator_says_so(provider: Provider, settings: Settings) -> None:
    provider.claims = {"isAdmin": True}
    browser = Client()

    def is_admin() -> bool:
        sign_in(browser)
        user = who(browser)
        assert user is not None
        assert user.is_staff == user.is_superuser
        return user.is_superuser

    assert not is_admin()
    settings.IAM_ADMINS_OF = "acme"
    assert not is_admin()
    settings.IAM_ADMINS_OF = "hanzo"
    assert is_admin()
    provider.claims = {"isAdmin": "true"}
    assert not is_admin()
    User.objects.update(is_staff=True, is_superuser=True)
    provider.claims = {"owner": "acme"}
    assert is_admin()  # what was given here stays, for people of other tenants


def test_the_second_factor_is_asked_for_as_well(provider: Provider) -> None:
    browser = Client()
    sign_in(browser)
    user = who(browser)
    assert user is not None
    secret = with_second_factor(user)
    browser = Client()
    assert sign_in(browser, "?next=/s/the-plan").headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert who(browser) is None
    code = f"{hotp_value(secret, int(time.time()) // 30):06}"
    done = browser.post("/accounts/2fa/authenticate/", {"code": code})
    assert done.headers["Location"] == "/s/the-plan"
    assert who(browser) == user


# Who may make an account ------------------------------------------------------------------------------------------


def test_where_sign_up_is_closed_nobody_new_comes_in(provider: Provider, settings: Settings) -> None:
    sign_in(Client())
    settings.IAM_SIGNUP = "closed"
    browser = Client()
    sign_in(browser)
    assert who(browser) is not None
    provider.claims = {"sub": "new", "email": "new@example.com"}
    browser = Client()
    assert b"Sign-up is closed" in sign_in(browser).content
    assert who(browser) is None
    refused = call(Client(), "GET", "/v1/me", Authorization=f"Bearer {provider.sign(sub='new', email='x@example.com')}")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert User.objects.count() == 1


def invite(session: LiveSession, owner: User) -> str:
    _, token = invitations.invite(session, owner, address=str, role="viewer")
    return token


def test_an_invitation_lets_somebody_new_in_and_is_used_by_that(
    provider: Provider, settings: Settings, owner: User, live_session: LiveSession
) -> None:
    settings.SIGNUP, settings.IAM_SIGNUP = "closed", "invite"
    browser = Client()
    assert b"Sign-up is closed" in sign_in(browser).content
    token = invite(live_session, owner)
    page = browser.get(f"/invitations/{token}").content.decode()
    entrance = re.search(r'href="(/accounts/login/\?[^"]+)"', page)
    assert entrance
    button = re.search(rf'action="({LOGIN}\?[^"]+)"', browser.get(html.unescape(entrance[1])).content.decode())
    assert button
    back = browser.get(at_provider(begin(browser, "?" + urlsplit(html.unescape(button[1])).query)))
    assert back.headers["Location"] == f"/invitations/{token}"
    assert browser.get(back.headers["Location"]).headers["Location"] == "/s/the-plan"
    user = who(browser)
    assert user is not None
    assert Member.objects.get(session=live_session, user=user).role == "viewer"
    # It was for one.
    provider.claims = {"sub": "another", "email": "another@example.com"}
    browser = Client()
    assert b"Sign-up is closed" in sign_in(browser, f"?next=/invitations/{token}").content
    assert who(browser) is None


def test_where_all_may_come_a_pending_invitation_is_gone_on_to(
    provider: Provider, owner: User, live_session: LiveSession
) -> None:
    token = invite(live_session, owner)
    browser = Client()
    assert sign_in(browser, f"?next=/invitations/{token}").headers["Location"] == f"/invitations/{token}"
    assert b"Join the session" in browser.get(f"/invitations/{token}").content


# Pictures ---------------------------------------------------------------------------------------------------------


def a_picture() -> bytes:
    written = BytesIO()
    Image.new("RGB", (600, 400), "red").save(written, "PNG")
    return written.getvalue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("claim", ["picture", "avatar"])
def test_the_picture_there_is_taken_at_the_first_time(provider: Provider, worker: None, claim: str) -> None:
    provider.pictures["/me.png"] = a_picture()
    provider.claims = {claim: f"{provider.issuer}/me.png"}
    browser = Client()
    sign_in(browser)
    user = who(browser)
    assert user is not None
    assert Image.open(user.avatar).size == (256, 256)
    call(browser, "PATCH", "/v1/me", {"avatar": None})
    sign_in(browser)
    user.refresh_from_db()
    assert not user.avatar
    assert provider.asked.count("/me.png") == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_no_picture_and_where_one_may_not_ask_gives_none(provider: Provider, worker: None) -> None:
    other = Provider()
    try:
        provider.pictures = {"/no.png": b"<svg/>", "/large.png": b"x" * 3_000_000}
        other.pictures["/me.png"] = a_picture()
        for number, address in enumerate(
            (
                f"{provider.issuer}/no.png",
                f"{provider.issuer}/large.png",
                f"{provider.issuer}/nothing",
                f"{other.issuer}/me.png",  # another program on this machine
                f"{other.issuer.replace('http:', 'https:')}/me.png",
                "https://localhost/me.png",
                "https://169.254.169.254/latest/meta-data/",
                "https://[::1]/",
                "https://10.0.0.1/",
                "https://nowhere.invalid/me.png",
                "https://",
                "httpx://[",
                "file:///etc/passwd",
                "http://example.com/a\nb",
            )
        ):
            provider.claims = {"sub": str(number), "email": None, "picture": address}
            browser = Client()
            sign_in(browser)
            user = who(browser)
            assert user is not None
            assert not user.avatar, address
        assert other.asked == []
    finally:
        other.stop()
