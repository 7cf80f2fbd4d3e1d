"""Tokens, cookies and tickets: who somebody is, and when they are that no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from hanzo_live.protocol.errors import LiveError
from sessions import authentication
from sessions.authentication import (
    bearer_of,
    create_token,
    identity_of_cookie,
    identity_of_hello,
    identity_of_token,
    issue_ticket,
    redeem_ticket,
    revoke_token,
)
from sessions.endings import credential_ended
from sessions.models import ApiToken, TokenScope, User


@pytest.fixture
def ended() -> Iterator[list[dict[str, Any]]]:
    """What was announced as ended."""
    heard: list[dict[str, Any]] = []

    def listen(sender: Any, user_id: Any, token_id: Any, session_key: Any, **_: Any) -> None:
        heard.append({"user": user_id, "token": token_id, "session": session_key})

    credential_ended.connect(listen)
    yield heard
    credential_ended.disconnect(listen)


# Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_its_user_and_is_not_stored(owner: User) -> None:
    token, raw = create_token(owner, "ci")
    identity = identity_of_token(raw)
    assert (identity.user, identity.token, identity.can_write, identity.anonymous) == (owner, token, True, False)
    assert raw not in str(ApiToken.objects.values().get())
    assert not identity_of_token(create_token(owner, "r", TokenScope.READ)[1]).can_write


@pytest.mark.parametrize("raw", ["", "hl_", "hl_wrong", "\0", "\ud800", "x" * 100_000])
def test_a_made_up_token_is_refused(owner: User, raw: str) -> None:
    with pytest.raises(LiveError) as refusal:
        identity_of_token(raw)
    assert refusal.value.code == "unauthenticated"


def test_a_token_ends_with_its_revocation_or_its_user(
    owner: User, ended: list[dict[str, Any]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    token, raw = create_token(owner, "ci")
    with django_capture_on_commit_callbacks(execute=True):
        revoke_token(owner, token.pk)
    assert ended == [{"user": owner.pk, "token": token.pk, "session": None}]
    with pytest.raises(LiveError):
        identity_of_token(raw)
    with pytest.raises(LiveError, match="no such API token"):
        revoke_token(owner, token.pk)
    _, other = create_token(owner, "ci")
    owner.is_active = False
    with django_capture_on_commit_callbacks(execute=True):
        owner.save()
    assert ended[1:] == [{"user": owner.pk, "token": None, "session": None}]
    with pytest.raises(LiveError):
        identity_of_token(other)


def test_the_last_use_is_noted_once_a_minute(owner: User, django_assert_num_queries: Callable[..., Any]) -> None:
    token, raw = create_token(owner, "ci")
    identity_of_token(raw)
    token.refresh_from_db()
    first = token.last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        identity_of_token(raw)
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    identity_of_token(raw)
    token.refresh_from_db()
    assert token.last_used_at is not None
    assert token.last_used_at >= first


def test_there_is_a_limit_of_tokens_in_force(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "MAX_TOKENS", 2)
    first, _ = create_token(owner, "a")
    create_token(owner, "b")
    with pytest.raises(LiveError, match="Revoke one"):
        create_token(owner, "c")
    revoke_token(owner, first.pk)
    create_token(owner, "c")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer  abc "}, "abc"),
        ({"Authorization": "Bearer"}, ""),
        ({"Authorization": "Basic abc"}, None),
        ({"Authorization": "Basic abc", "X-Hanzo-Key": "k"}, "k"),
        ({"x-api-key": "k"}, "k"),
        ({"Ocp-Apim-Subscription-Key": "k"}, "k"),
        ({"x-api-key": ""}, None),
        ({"Authorization": "Bearer abc", "x-api-key": "k"}, "abc"),
    ],
)
def test_a_token_is_taken_from_any_of_the_headers(headers: dict[str, str], expected: str | None) -> None:
    assert bearer_of(headers) == expected


# Cookies ----------------------------------------------------------------------------------------------------------


def test_a_cookie_is_its_user_until_sign_out(
    owner: User, ended: list[dict[str, Any]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = Client()
    client.force_login(owner)
    key = client.session.session_key
    identity = identity_of_cookie(key)
    assert identity is not None
    assert (identity.user, identity.token, identity.can_write) == (owner, None, True)
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/accounts/logout/")
    assert identity_of_cookie(key) is None
    assert ended == [{"user": owner.pk, "token": None, "session": key}]


def test_a_cookie_ends_with_a_new_password_and_with_the_account(
    owner: User, ended: list[dict[str, Any]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = Client()
    client.force_login(owner)
    key = client.session.session_key
    owner.set_password("another one entirely")
    with django_capture_on_commit_callbacks(execute=True):
        owner.save()
    assert identity_of_cookie(key) is None
    assert ended == [{"user": owner.pk, "token": None, "session": None}]
    client.force_login(owner)
    User.objects.update(is_active=False)
    assert identity_of_cookie(client.session.session_key) is None


@pytest.mark.parametrize("key", [None, "", "no-such-session", "\0", "../../x"])
def test_a_cookie_of_nobody_is_nobody(db: None, key: str | None) -> None:
    assert identity_of_cookie(key) is None


# Tickets ----------------------------------------------------------------------------------------------------------


def test_a_ticket_is_good_once(owner: User) -> None:
    ticket, seconds = issue_ticket(owner)
    assert 0 < seconds <= 60
    assert identity_of_hello(ticket).user == owner
    with pytest.raises(LiveError, match="used or is too old") as refusal:
        redeem_ticket(ticket)
    assert refusal.value.code == "unauthenticated"


def test_a_ticket_has_the_scope_of_the_token_that_asked_and_ends_with_it(owner: User) -> None:
    token, raw = create_token(owner, "r", TokenScope.READ)
    identity = redeem_ticket(issue_ticket(owner, token)[0])
    assert (identity.token, identity.can_write) == (token, False)
    ticket, _ = issue_ticket(owner, token)
    revoke_token(owner, token.pk)
    with pytest.raises(LiveError):
        redeem_ticket(ticket)
    assert raw.startswith("hl_")


def test_a_ticket_is_no_token_and_is_kept_as_a_digest(owner: User) -> None:
    ticket, _ = issue_ticket(owner)
    with pytest.raises(LiveError):
        identity_of_token(ticket)
    assert cache.get(f"ticket:{ticket}") is None


def test_a_ticket_of_an_account_that_was_switched_off_is_refused(owner: User) -> None:
    ticket, _ = issue_ticket(owner)
    User.objects.update(is_active=False)
    with pytest.raises(LiveError):
        redeem_ticket(ticket)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_show_one_ticket_at_once_one_comes_in(make_user: Callable[..., User]) -> None:
    user = make_user("Olga")
    threads = 8
    ready = threading.Barrier(threads)

    def redeem(ticket: str) -> bool:
        ready.wait(10)
        try:
            redeem_ticket(ticket)
        except LiveError:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for _ in range(10):
            assert sum(pool.map(redeem, [issue_ticket(user)[0]] * threads)) == 1
