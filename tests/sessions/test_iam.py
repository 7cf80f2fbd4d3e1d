"""JWTs of an issuer that the operator allows, on the API and on sockets. The provider is a real one, on loopback."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from hanzo_live.protocol.errors import LiveError
from sessions.addresses import NOWHERE
from sessions.authentication import identity_of_hello, identity_of_token
from sessions.models import User
from streaming.sockets.revocation import Good
from tests.rest import assert_is_error, call
from tests.sessions.oidc_provider import AUDIENCE, FAR_OFF, LONG_AGO, Provider


@pytest.fixture
def provider(db: None, settings: Settings) -> Iterator[Provider]:
    provider = Provider()
    provider.add_key("one")
    settings.IAM_ISSUERS = ["https://hanzo.id", provider.issuer]
    settings.IAM_AUDIENCES = [AUDIENCE, "another"]
    yield provider
    provider.stop()


def me(raw: str) -> Any:
    return call(Client(), "GET", "/v1/me", Authorization=f"Bearer {raw}")


# Who is let in ----------------------------------------------------------------------------------------------------


def test_a_jwt_speaks_for_an_account_that_is_made_at_first_sight_and_then_kept(provider: Provider) -> None:
    first = me(provider.sign()).json()
    assert (first["name"], first["email"], first["is_admin"]) == ("Ines", "ines@example.com", False)
    assert me(provider.sign(name="Renamed", isAdmin=True)).json() == first
    assert me(provider.sign(sub="other", email="other@example.com")).json()["id"] != first["id"]
    assert not User.objects.get(pk=first["id"]).has_usable_password()


def test_it_may_write_and_opens_sockets(provider: Provider) -> None:
    raw = provider.sign()
    made = call(Client(), "POST", "/v1/sessions", {"title": "Mine"}, Authorization=f"Bearer {raw}")
    assert made.status_code == 201
    assert identity_of_hello(raw).user == identity_of_token(raw).user


def test_an_elliptic_key_is_as_good(provider: Provider) -> None:
    provider.add_key("two", "ES256")
    assert me(provider.sign("two", "ES256")).status_code == 200


@pytest.mark.parametrize(
    "claims", [{"email": None}, {"email": "no address"}, {"name": None}, {"name": "a\0b"}, {"name": "x" * 500}]
)
def test_what_it_says_of_a_person_may_be_missing_or_odd(provider: Provider, claims: dict[str, Any]) -> None:
    assert me(provider.sign(**claims)).status_code == 200


def test_an_address_that_the_issuer_has_not_verified_proves_nothing(provider: Provider, owner: User) -> None:
    for claims in ({"email_verified": None}, {"email_verified": 1}, {"email_verified": False}):
        made = me(provider.sign(sub=str(claims), email=owner.email, **claims)).json()
        assert made["id"] != str(owner.pk)
        assert made["email"].endswith(NOWHERE)
    assert me(provider.sign(sub="x", email="x@example.com", email_verified=None, emailVerified=True)).json()[
        "email"
    ] == ("x@example.com")


def test_where_none_are_made_only_those_with_an_account_come_in(provider: Provider, settings: Settings) -> None:
    assert me(provider.sign()).status_code == 200
    for settings.IAM_SIGNUP in ("closed", "invite"):
        assert me(provider.sign()).status_code == 200
        assert_is_error(me(provider.sign(sub="new", email=None)), 403, "forbidden")


def test_a_name_is_kept_as_one_line_that_shows(provider: Provider) -> None:
    names = {
        "Ines\u202e\n x": "Ines x",
        "<b>Ines</b>": "<b>Ines</b>",
        "\u200b": "by-sub-2",
        "x" * 5_000: "x" * 120,
        "a\0b": "by-sub-4",
    }
    for number, (name, kept) in enumerate(names.items()):
        assert me(provider.sign(sub=f"by-sub-{number}", email=None, name=name)).json()["name"] == kept


def test_only_people_of_the_named_tenants_are_let_in_where_some_are_named(
    provider: Provider, settings: Settings
) -> None:
    settings.IAM_OWNERS = ["acme"]
    assert_is_error(me(provider.sign()), 401, "unauthenticated")
    assert me(provider.sign(owner="acme")).status_code == 200


def test_an_end_far_away_is_one_as_well(provider: Provider) -> None:
    assert me(provider.sign(exp=10**18)).status_code == 200


# Who is not -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": None},
        {"exp": LONG_AGO},
        {"exp": None},
        {"nbf": FAR_OFF},
        {"sub": None},
        {"sub": ""},
        {"owner": None},
        {"owner": ""},
        {"owner": 7},
        {"owner": "a\0"},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_or_missing_lets_nobody_in(provider: Provider, claims: dict[str, Any]) -> None:
    assert_is_error(me(provider.sign(**claims)), 401, "unauthenticated")
    assert not User.objects.exists()


def forged(provider: Provider, head: dict[str, Any]) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = {"iss": provider.issuer, "aud": AUDIENCE, "sub": "7f3a", "owner": "hanzo", "exp": time.time() + 60}
    return f"{part(head)}.{part(body)}."


def test_a_signature_that_is_not_the_issuers_lets_nobody_in(provider: Provider) -> None:
    genuine = provider.sign()
    provider.add_key("theirs", published=False)
    for raw in (
        forged(provider, {"alg": "none", "kid": "one"}),
        forged(provider, {"alg": "RS256", "kid": "one"}),
        forged(provider, {"alg": "ES256", "kid": "one"}),
        provider.sign("one", "HS256", key=b"k" * 32),
        provider.sign("one", "RS512"),
        provider.sign("one", key=provider.private["theirs"]),
        provider.sign("theirs"),
        genuine[:-8] + "AAAAAAAA",
        "a.b.c",
        "..",
        "x" * 20_000 + ".y.z",
    ):
        assert_is_error(me(raw), 401, "unauthenticated")
    assert not User.objects.exists()


def test_without_allowed_issuers_or_audiences_no_jwt_is_looked_at(provider: Provider, settings: Settings) -> None:
    settings.IAM_AUDIENCES = []
    assert me(provider.sign()).status_code == 401
    settings.IAM_ISSUERS = []
    provider.asked.clear()
    assert me(provider.sign()).status_code == 401
    assert not provider.asked


def test_the_address_of_an_account_here_does_not_give_that_account_away(provider: Provider, owner: User) -> None:
    refused = me(provider.sign(email=owner.email))
    assert_is_error(refused, 409, "conflict")
    assert User.objects.count() == 1


def test_an_account_that_is_switched_off_stays_out(provider: Provider) -> None:
    me(provider.sign())
    User.objects.update(is_active=False)
    assert_is_error(me(provider.sign()), 401, "unauthenticated")


# Keys -------------------------------------------------------------------------------------------------------------


def test_keys_are_asked_for_once_and_again_for_a_new_one_but_not_for_each_made_up_one(provider: Provider) -> None:
    for _ in range(3):
        me(provider.sign())
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]
    provider.add_key("new")
    assert me(provider.sign("new")).status_code == 200
    assert len(provider.asked) == 3
    provider.add_key("made up", published=False)
    for _ in range(3):
        assert me(provider.sign("made up")).status_code == 401
    assert len(provider.asked) == 3


@pytest.mark.parametrize("missing", ["/.well-known/openid-configuration", "/keys"])
def test_a_page_instead_of_keys_is_no_answer(provider: Provider, missing: str) -> None:
    kept = provider.pages.pop(missing)
    raw = provider.sign()
    for _ in range(3):
        assert_is_error(me(raw), 503, "busy")
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    provider.pages[missing] = kept
    cache.clear()  # a moment later
    assert me(raw).status_code == 200


@pytest.mark.parametrize(
    "change", [{"issuer": "https://evil.example"}, {"jwks_uri": "http://evil.example/keys"}, {"jwks_uri": 7}]
)
def test_a_discovery_that_does_not_fit_is_not_followed(provider: Provider, change: dict[str, Any]) -> None:
    provider.pages["/.well-known/openid-configuration"].update(change)
    assert_is_error(me(provider.sign()), 503, "busy")


def test_an_issuer_that_is_away_is_said_to_be(provider: Provider, settings: Settings) -> None:
    raw = provider.sign(iss="http://127.0.0.1:9")
    settings.IAM_ISSUERS = ["http://127.0.0.1:9"]
    assert_is_error(me(raw), 503, "busy")


# Until when -------------------------------------------------------------------------------------------------------


def test_a_socket_stands_as_long_as_its_jwt(provider: Provider) -> None:
    identity = identity_of_token(provider.sign(exp=int(time.time()) + 600))
    assert identity.user is not None
    assert identity.expires_at is not None
    assert identity.expires_at - datetime.now(UTC) <= timedelta(seconds=600)
    good = Good({identity.user.pk}, set(), set())
    assert good.covers(identity, None)
    ended = identity_of_token(provider.sign(exp=int(time.time()) - 5))  # within the leeway of clocks
    assert not good.covers(ended, None)


def test_so_does_one_that_came_with_a_ticket_of_it(provider: Provider) -> None:
    raw = provider.sign()
    ticket = call(Client(), "POST", "/v1/tickets", Authorization=f"Bearer {raw}").json()["ticket"]
    assert identity_of_hello(ticket).expires_at == identity_of_token(raw).expires_at
    with pytest.raises(LiveError):
        identity_of_hello(ticket)
