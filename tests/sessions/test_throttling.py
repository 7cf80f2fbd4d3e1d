"""How often REST may be asked: whose allowance a call takes from, and what is said when it is used up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from hanzo_live.protocol.errors import LiveError
from sessions.authentication import create_token
from sessions.models import LiveSession, User
from sessions.rates import PREFIX, Rate, network_of
from tests.conftest import VALKEY
from tests.rest import assert_is_error, call

Settings = Any


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {create_token(user, 'tests')[1]}"}


def limited(response: Any) -> bool:
    """Whether the call was refused as too often; then the refusal is looked at."""
    if response.status_code != 429:
        assert response.status_code < 400, response.content
        return False
    error = assert_is_error(response, 429, "rate_limited")
    assert error["retryable"] is True
    assert error["retry_after"] >= 1
    assert response["Retry-After"] == str(error["retry_after"])
    return True


def test_reads_and_writes_are_counted_apart(owner: User, settings: Settings) -> None:
    settings.MAX_READS_PER_MINUTE, settings.MAX_WRITES_PER_MINUTE = 3, 2
    headers = bearer(owner)
    assert [limited(call(Client(), "GET", "/v1/me", None, **headers)) for _ in range(4)] == [False] * 3 + [True]
    writes = [call(Client(), "POST", "/v1/sessions", {"title": "x"}, **headers) for _ in range(3)]
    assert [limited(response) for response in writes] == [False, False, True]


@pytest.mark.parametrize(
    ("option", "method", "path", "body"),
    [
        ("MAX_STREAM_STARTS_PER_MINUTE", "POST", "/v1/streams", {"content": "Hello"}),
        ("MAX_STREAM_STARTS_PER_MINUTE", "POST", "/v1/sessions/the-plan/messages", {"content": "Hello"}),
        ("MAX_SEARCHES_PER_MINUTE", "GET", "/v1/search?q=plan", None),
        ("MAX_INVITATIONS_PER_HOUR", "POST", "/v1/sessions/the-plan/invitations", {"role": "viewer"}),
    ],
)
def test_what_costs_more_has_a_limit_of_its_own(
    live_session: LiveSession, owner: User, settings: Settings, option: str, method: str, path: str, body: Any
) -> None:
    setattr(settings, option, 2)
    headers = bearer(owner)
    assert [limited(call(Client(), method, path, body, **headers)) for _ in range(3)] == [False, False, True]
    assert not limited(call(Client(), "GET", "/v1/me", None, **headers))
    assert not limited(call(Client(), "PATCH", "/v1/me", {"name": "Olga"}, **headers))


def test_openais_address_refuses_in_openais_words(owner: User, settings: Settings) -> None:
    settings.MAX_STREAM_STARTS_PER_MINUTE = 1
    headers = bearer(owner)
    call(Client(), "POST", "/v1/streams", {"content": "Hello"}, **headers)
    response = call(
        Client(), "POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Hello"}]}, **headers
    )
    assert response.status_code == 429
    assert int(response["Retry-After"]) >= 1
    assert response.json()["error"]["code"] == "rate_limited"


def test_each_token_each_browser_and_each_person_has_an_allowance_of_their_own(
    owner: User, viewer: User, signed_in: Callable[..., Client], settings: Settings
) -> None:
    settings.MAX_READS_PER_MINUTE = 1
    first, second, others = bearer(owner), bearer(owner), bearer(viewer)
    assert not limited(call(Client(), "GET", "/v1/me", None, **first))
    assert limited(call(Client(), "GET", "/v1/me", None, **first))
    assert not limited(call(Client(), "GET", "/v1/me", None, **second))
    assert not limited(call(Client(), "GET", "/v1/me", None, **others))
    assert not limited(call(signed_in(owner), "GET", "/v1/me"))
    assert limited(call(signed_in(owner), "GET", "/v1/me"))  # another browser of the same person


def ask(address: str, **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).post("/v1/streams", {"content": "x"}, "application/json", headers=headers)


def test_who_is_nobody_is_counted_by_address(db: None, settings: Settings) -> None:
    settings.MAX_STREAM_STARTS_PER_MINUTE = 1
    assert [limited(ask("203.0.113.1")) for _ in range(2)] == [False, True]
    assert not limited(ask("203.0.113.2"))
    # What anybody may write there: a trusted proxy's word is in REMOTE_ADDR by now.
    assert limited(ask("203.0.113.1", **{"X-Forwarded-For": "198.51.100.7"}))


def test_one_network_of_ipv6_is_one_caller() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:203.0.113.1") == network_of("203.0.113.1") == "203.0.113.1"
    assert network_of("no address") == "no address"


def test_wrong_tokens_are_limited_by_address_and_right_ones_are_not(owner: User, settings: Settings) -> None:
    settings.MAX_WRONG_TOKENS_PER_MINUTE = 2
    right = bearer(owner)
    statuses = [call(Client(), "GET", "/v1/me", None, Authorization="Bearer wrong").status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
    assert not limited(call(Client(), "GET", "/v1/me", None, **right))


def test_a_limit_of_nothing_is_none(owner: User, settings: Settings) -> None:
    settings.MAX_READS_PER_MINUTE = 0
    headers = bearer(owner)
    assert not any(limited(call(Client(), "GET", "/v1/me", None, **headers)) for _ in range(20))


def test_an_allowance_fills_up_again() -> None:
    rate = Rate("tests", limit=2, seconds=3600)
    rate.spend("olga", 2)
    with pytest.raises(LiveError) as refusal:
        rate.spend("olga")
    assert 1700 < (refusal.value.retry_after or 0) <= 1800
    with VALKEY.client() as client:  # as if half an hour had gone by
        key = f"{PREFIX}:tests:olga"
        client.set(key, int(client.get(key) or 0) - 1_800_000_000)  # type: ignore[arg-type]
    rate.require("olga")
    rate.spend("olga")
    with pytest.raises(LiveError):
        rate.require("olga")


def test_looking_takes_nothing_and_what_is_unused_is_forgotten() -> None:
    rate = Rate("tests", limit=1, seconds=60)
    for _ in range(3):
        rate.require("olga")
    rate.spend("olga")
    with VALKEY.client() as client:
        assert 0 < int(client.pttl(f"{PREFIX}:tests:olga")) <= 61_000  # type: ignore[arg-type]


def test_of_many_at_once_exactly_as_many_pass_as_may() -> None:
    rate = Rate("tests", limit=25, seconds=3600)

    def passes(_: int) -> bool:
        try:
            rate.spend("olga")
        except LiveError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(passes, range(200))) == 25


ELSEWHERE = """
import django; django.setup()
from sessions.rates import Rate
Rate("tests", limit=3, seconds=3600).spend("olga", 2)
"""


def test_all_processes_count_together() -> None:
    subprocess.run([sys.executable, "-c", ELSEWHERE], env={**os.environ}, check=True, timeout=50)
    rate = Rate("tests", limit=3, seconds=3600)
    rate.spend("olga")
    with pytest.raises(LiveError):
        rate.spend("olga")


def test_a_check_is_one_round_trip(owner: User) -> None:
    headers = bearer(owner)
    call(Client(), "GET", "/v1/me", None, **headers)  # loads the script
    with VALKEY.client() as client:
        client.config_resetstat()
        call(Client(), "GET", "/v1/me", None, **headers)
        calls = {name: stats["calls"] for name, stats in client.info("commandstats").items()}  # type: ignore[union-attr]
    calls.pop("cmdstat_config|resetstat", None)
    # The last three are what the script itself does.
    assert calls == {"cmdstat_evalsha": 1, "cmdstat_time": 1, "cmdstat_get": 1, "cmdstat_set": 1}


def test_without_redis_nobody_is_refused(owner: User, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    settings.MAX_READS_PER_MINUTE = 1
    headers = bearer(owner)
    assert not any(limited(call(Client(), "GET", "/v1/me", None, **headers)) for _ in range(3))


def test_one_address_does_not_make_accounts_without_end(db: None, settings: Settings) -> None:
    def sign_up() -> int:
        return int(Client(REMOTE_ADDR="203.0.113.1").post("/accounts/signup/", {"name": "x"}).status_code)

    assert settings.ACCOUNT_RATE_LIMITS["signup"] == f"{settings.MAX_SIGN_UPS_PER_HOUR}/h/ip"
    assert {sign_up() for _ in range(settings.MAX_SIGN_UPS_PER_HOUR)} == {200}  # shown again, with what is wrong
    assert sign_up() == 429
