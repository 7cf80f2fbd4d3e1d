"""Limits on signing in: whose address they count where a proxy stands before us, and that all processes count together."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from pytest_django import Settings

from sessions.models import User
from tests.sessions.test_names import open_to_all as open_to_all

TOO_MANY = settings.MAX_SIGN_UPS_PER_HOUR + 1


def tries(count: int, **headers: str) -> list[int]:
    """Sign-ups with a wrong form, each by a browser of its own."""
    return [Client().post("/accounts/signup/", {"name": ""}, **headers).status_code for _ in range(count)]


def test_each_address_has_its_own_count_behind_a_trusted_proxy(db: None, open_to_all: None, settings: Settings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert tries(TOO_MANY, HTTP_X_FORWARDED_FOR="203.0.113.7")[-1] == 429
    assert tries(1, HTTP_X_FORWARDED_FOR="203.0.113.8") == [200]
    # What somebody wrote before the proxy's own word counts for nothing.
    assert tries(1, HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.7") == [429]


def test_without_a_proxy_nobody_chooses_an_address(db: None, open_to_all: None) -> None:
    answers = [tries(1, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")[0] for number in range(TOO_MANY)]
    assert answers[-1] == 429


def test_they_are_counted_where_all_processes_see_them(db: None, open_to_all: None, owner: User) -> None:
    from django.core.cache import caches

    assert isinstance(caches["default"], RedisCache)
    assert tries(TOO_MANY)[-1] == 429
    cache.clear()
    assert tries(1) == [200]


@pytest.mark.parametrize("count", [11])
def test_wrong_passwords_for_one_account_are_limited_wherever_they_come_from(
    owner: User, settings: Settings, count: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    form = {"login": owner.email, "password": "wrong one"}
    for number in range(count):
        Client().post("/accounts/login/", form, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    right = {"login": owner.email, "password": "correct horse battery staple"}
    answer = Client().post("/accounts/login/", right, HTTP_X_FORWARDED_FOR="203.0.113.99")
    assert "too many" in answer.content.decode().lower()
