"""Bad input over REST: always the one error object, with the fitting status, and never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError
from django.test import Client
from pytest_django import Settings

from sessions.models import LiveSession, User
from tests.rest import assert_is_error, call


@pytest.fixture
def client(owner: User, live_session: LiveSession) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/sessions/", 404, "not_found"),
        ("GET", "/v1/", 404, "not_found"),
        ("PUT", "/v1/sessions", 405, "bad_request"),
        ("DELETE", "/v1/me", 405, "bad_request"),
        ("TRACE", "/v1/me", 405, "bad_request"),
        ("GET", "/v1/sessions?limit=0", 400, "bad_request"),
        ("GET", "/v1/sessions?limit=201", 400, "bad_request"),
        ("GET", "/v1/sessions?limit=many", 400, "bad_request"),
        ("GET", "/v1/sessions?cursor=%00", 400, "bad_request"),
        ("GET", "/v1/sessions?cursor=YWJj", 400, "bad_request"),
        ("GET", "/v1/sessions/the-plan/messages?cursor=b", 400, "bad_request"),
        ("GET", "/v1/sessions/the-plan/messages?cursor=c3", 400, "bad_request"),
        ("GET", "/v1/sessions/the-plan/messages?cursor=b99999999999999999999", 400, "bad_request"),
        ("GET", "/v1/sessions/the-plan/messages?cursor=b%C2%B2", 400, "bad_request"),
        ("GET", "/v1/sessions/the-plan/transcript?format=pdf", 400, "bad_request"),
        ("PATCH", "/v1/sessions/the-plan/members/nobody", 404, "not_found"),
        ("DELETE", "/v1/sessions/the-plan/members/%00", 404, "not_found"),
        ("DELETE", "/v1/tokens/1", 404, "not_found"),
    ],
)
def test_addresses_and_parameters(client: Client, method: str, path: str, status: int, code: str) -> None:
    assert_is_error(call(client, method, path, {"role": "editor"} if method == "PATCH" else None), status, code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nope",
        "[]",
        '"text"',
        "1",
        "null",
        "[" * 100_000,
        '{"title": NaN}',
        '{"title": ' + "9" * 5_000 + "}",
        "\x00",
    ],
)
def test_bodies_that_are_no_object(client: Client, text: str) -> None:
    response = client.generic("PATCH", "/v1/me", text, "application/json")
    assert_is_error(response, 400, "bad_request")


def test_bodies_in_another_encoding_or_form(client: Client) -> None:
    assert_is_error(client.generic("PATCH", "/v1/me", b'{"name": "\xff"}', "application/json"), 400, "bad_request")
    assert_is_error(client.generic("PATCH", "/v1/me", "{}", "application/json; charset=hex"), 400, "bad_request")
    assert_is_error(
        client.generic("PATCH", "/v1/me", "name=x", "application/x-www-form-urlencoded"), 415, "bad_request"
    )
    assert_is_error(client.generic("PATCH", "/v1/me", "name", "text/plain"), 415, "bad_request")


def test_a_body_above_the_limit(client: Client, settings: Settings) -> None:
    settings.MAX_FRAME_BYTES = 1024
    assert_is_error(call(client, "PATCH", "/v1/me", {"name": "x" * 1024}), 413, "too_large")


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/v1/sessions", "title", 1),
        ("/v1/sessions", "title", ["x"]),
        ("/v1/sessions", "title", "x" * 201),
        ("/v1/sessions", "title", "a\0"),
        ("/v1/sessions", "title", "\ud800"),
        ("/v1/sessions", "slug", "No Good"),
        ("/v1/sessions", "slug", {}),
        ("/v1/sessions", "overlap", "maybe"),
        ("/v1/sessions", "overlap", ["queue"]),
        ("/v1/sessions", "overlap", None),
        ("/v1/sessions", "system_prompt", "x" * 50_001),
        ("/v1/tokens", "name", ""),
        ("/v1/tokens", "name", "  "),
        ("/v1/tokens", "name", None),
        ("/v1/tokens", "name", "\udc00"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(client: Client, path: str, field: str, value: Any) -> None:
    error = assert_is_error(call(client, "POST", path, {field: value}), 400, "bad_request")
    assert error["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "viewer"}, "user"),
        ({"user": "not-an-id", "role": "viewer"}, "user"),
        ({"user": 5, "role": "viewer"}, "user"),
        ({"email": "nobody", "role": "viewer"}, "email"),
        ({"email": "a\0@example.com", "role": "viewer"}, "email"),
        ({"email": "otto@example.com"}, "role"),
        ({"email": "otto@example.com", "role": "king"}, "role"),
        ({"email": "otto@example.com", "user": "11111111-2222-3333-4444-555555555555", "role": "viewer"}, "user"),
    ],
)
def test_members_are_named_in_one_way(client: Client, outsider: User, body: dict[str, Any], field: str) -> None:
    error = assert_is_error(call(client, "POST", "/v1/sessions/the-plan/members", body), 400, "bad_request")
    assert error["field"] == field


def test_the_archive_flag_is_a_flag(client: Client) -> None:
    for value in ("true", 1, None):
        assert_is_error(call(client, "PATCH", "/v1/sessions/the-plan", {"archived": value}), 400, "bad_request")


def test_unknown_fields_are_ignored(client: Client) -> None:
    assert call(client, "PATCH", "/v1/me", {"name": "Olga", "is_staff": True, "id": 1}).json()["is_admin"] is False


def test_the_cookie_needs_its_csrf_token(owner: User, signed_in: Callable[..., Client]) -> None:
    client = signed_in(owner, csrf=True)
    error = assert_is_error(call(client, "POST", "/v1/sessions", {}), 403, "forbidden")
    assert "X-CSRFToken" in error["message"]
    client.get("/accounts/login/")
    client.get("/accounts/password/change/")
    token = client.cookies["csrftoken"].value
    assert call(client, "POST", "/v1/sessions", {}, **{"X-CSRFToken": token}).status_code == 201


def test_a_page_of_another_site_is_refused_with_or_without_credential(
    owner: User, signed_in: Callable[..., Client]
) -> None:
    for client in (Client(), signed_in(owner)):
        for origin in ("https://evil.example", "null", "http://testserver.evil.example", "http://[", "file://x"):
            assert_is_error(call(client, "GET", "/v1/me", None, Origin=origin), 403, "forbidden")
    ours = call(signed_in(owner), "GET", "/v1/me", None, Origin="http://testserver")
    assert ours.status_code == 200


def test_a_page_that_is_allowed_may_read_the_answer(
    owner: User, signed_in: Callable[..., Client], settings: Settings
) -> None:
    settings.ALLOWED_ORIGINS = settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    client = signed_in(owner)
    for origin in ("https://app.example.com", "http://localhost:5173", "http://127.0.0.1:9"):
        response = call(client, "GET", "/v1/me", None, Origin=origin)
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == origin
    asked = client.options(
        "/v1/sessions",
        headers={
            "Origin": "https://app.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-api-key",
        },
    )
    assert asked.status_code == 200
    assert "x-api-key" in asked["Access-Control-Allow-Headers"]
    settings.ON_LOOPBACK = False
    assert call(client, "GET", "/v1/me", None, Origin="http://localhost:5173").status_code == 403


def test_too_many_new_tokens_are_told_to_wait(client: Client) -> None:
    for number in range(30):
        assert call(client, "POST", "/v1/tokens", {"name": str(number)}).status_code == 201
    error = assert_is_error(call(client, "POST", "/v1/tokens", {"name": "more"}), 429, "rate_limited")
    assert error["retry_after"] > 0
    assert call(client, "GET", "/v1/tokens").status_code == 200


def test_redis_away_is_said_in_words(client: Client, settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/redis.sock"}}
    error = assert_is_error(call(client, "POST", "/v1/tickets"), 503, "internal")
    assert (error["retryable"], error["retry_after"]) == (True, 5)


@pytest.mark.parametrize("error", [OperationalError("database is locked"), InterfaceError("connection already closed")])
def test_a_database_that_is_away_is_said_in_words(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from sessions.api import views

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(views, "session_page", fail)
    told = assert_is_error(call(client, "GET", "/v1/sessions"), 503, "internal")
    assert (told["retryable"], told["retry_after"]) == (True, 5)
    assert "database" in told["message"]
    assert str(error) not in told["message"]


def test_what_nobody_foresaw_is_told_without_its_inside(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from sessions.api import views

    def fail(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(views, "session_page", fail)
    client.raise_request_exception = False
    response = call(client, "GET", "/v1/sessions")
    assert_is_error(response, 500, "internal")
    assert "secret" not in response.content.decode()


def test_the_document_describes_every_address_and_the_error(client: Client) -> None:
    response = client.get("/v1/openapi.json")
    assert response.status_code == 200
    document = json.loads(response.content)
    assert {"/v1/sessions", "/v1/sessions/{ref}/messages", "/v1/me", "/v1/tickets"} <= set(document["paths"])
    for operations in document["paths"].values():
        for operation in operations.values():
            assert {"401", "403", "429", "500"} <= set(operation["responses"])
    assert client.get("/v1/docs").status_code == 200


def test_the_document_is_valid_and_leaves_nothing_to_guess(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yml"))


def test_the_document_is_for_everybody_where_anonymous_use_is_allowed(db: None, settings: Settings) -> None:
    assert Client().get("/v1/openapi.json").status_code == 200
    page = Client().get("/v1/docs")
    assert page.status_code == 200
    assert b"//cdn" not in page.content
    settings.ALLOW_ANONYMOUS = False
    for path in ("/v1/openapi.json", "/v1/docs"):
        assert_is_error(Client().get(path), 401, "unauthenticated")
