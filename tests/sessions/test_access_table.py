"""Every REST address of this app × everybody who may come: what they are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from sessions.api.urls import urlpatterns
from sessions.authentication import create_token
from sessions.models import ApiToken, Invitation, LiveSession, User
from tests.rest import assert_is_error, call, endpoints

CODES = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 409: "conflict"}
CAST = ("owner", "editor", "viewer", "outsider", "nobody")


@dataclass(frozen=True)
class Expected:
    """The status for each of CAST, in order, and the body that is sent."""

    statuses: tuple[int, int, int, int, int]
    body: dict[str, Any] | None = None


SESSION = "/v1/sessions/<str:ref>"
READERS = (200, 200, 200, 404, 401)
TABLE: dict[tuple[str, str], Expected] = {
    ("GET", "/v1/sessions"): Expected((200, 200, 200, 200, 401)),
    ("POST", "/v1/sessions"): Expected((201, 201, 201, 201, 401), {"title": "Mine"}),
    ("GET", SESSION): Expected(READERS),
    ("PATCH", SESSION): Expected((200, 403, 403, 404, 401), {"title": "New"}),
    ("DELETE", SESSION): Expected((204, 403, 403, 404, 401)),
    ("GET", f"{SESSION}/messages"): Expected(READERS),
    ("GET", f"{SESSION}/transcript"): Expected(READERS),
    ("POST", f"{SESSION}/duplicate"): Expected((201, 201, 201, 404, 401), {}),
    ("POST", f"{SESSION}/read"): Expected(READERS, {"n": 1}),
    ("GET", f"{SESSION}/members"): Expected(READERS),
    ("POST", f"{SESSION}/members"): Expected(
        (201, 403, 403, 404, 401), {"email": "nina@example.com", "role": "viewer"}
    ),
    ("PATCH", f"{SESSION}/members/<str:user>"): Expected((200, 403, 403, 404, 401), {"role": "editor"}),
    ("DELETE", f"{SESSION}/members/<str:user>"): Expected((204, 403, 403, 404, 401)),
    ("GET", f"{SESSION}/invitations"): Expected((200, 403, 403, 404, 401)),
    ("POST", f"{SESSION}/invitations"): Expected((201, 403, 403, 404, 401), {"role": "viewer"}),
    ("DELETE", f"{SESSION}/invitations/<str:invitation>"): Expected((204, 403, 403, 404, 401)),
    # Whoever has the link may look and decline; joining needs an account, and members have joined.
    ("GET", "/v1/invitations/<str:token>"): Expected((200, 200, 200, 200, 200)),
    ("POST", "/v1/invitations/<str:token>/accept"): Expected((409, 409, 409, 200, 401)),
    ("POST", "/v1/invitations/<str:token>/decline"): Expected((204, 204, 204, 204, 204)),
    ("GET", "/v1/search"): Expected((200, 200, 200, 200, 401)),
    ("GET", "/v1/me"): Expected((200, 200, 200, 200, 401)),
    ("PATCH", "/v1/me"): Expected((200, 200, 200, 200, 401), {"name": "New name"}),
    ("GET", "/v1/tokens"): Expected((200, 200, 200, 200, 401)),
    ("POST", "/v1/tokens"): Expected((201, 201, 201, 201, 401), {"name": "laptop"}),
    # The token is the owner's.
    ("DELETE", "/v1/tokens/<str:token>"): Expected((204, 404, 404, 404, 401)),
    ("POST", "/v1/tickets"): Expected((201, 201, 201, 201, 401)),
}


def test_every_address_is_in_the_table() -> None:
    assert set(endpoints(urlpatterns, "/v1/")) == set(TABLE)


@dataclass(frozen=True)
class Stage:
    """The cast by name, and what addresses are filled in with."""

    users: dict[str, User]
    second_viewer: User
    token: ApiToken
    invitation: Invitation
    link: str

    def path(self, route: str) -> str:
        if route == "/v1/search":
            return f"{route}?q=plan"
        route = route.replace("invitations/<str:token>", f"invitations/{self.link}")
        route = route.replace("<str:invitation>", str(self.invitation.pk))
        filled = route.replace("<str:ref>", "the-plan").replace("<str:user>", str(self.second_viewer.pk))
        return filled.replace("<str:token>", str(self.token.pk))


@pytest.fixture
def stage(
    live_session: LiveSession, owner: User, teammate: User, viewer: User, outsider: User, make_user: Callable[..., User]
) -> Stage:
    from sessions.invitations import invite
    from sessions.membership import add_member
    from sessions.models import Role

    second = make_user("Vic")
    make_user("Nina")
    add_member(live_session, owner, second, Role.VIEWER)
    cast = {"owner": owner, "editor": teammate, "viewer": viewer, "outsider": outsider}
    invitation, link = invite(live_session, owner, address=str)
    return Stage(cast, second, create_token(owner, "ci")[0], invitation, link)


@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize(("method", "route"), TABLE, ids=lambda value: str(value))
def test_it_answers_everybody_as_the_table_says(stage: Stage, method: str, route: str, who: str) -> None:
    client = Client()
    if who != "nobody":
        client.force_login(stage.users[who])
    expected = TABLE[method, route]
    response = call(client, method, stage.path(route), expected.body)
    status = expected.statuses[CAST.index(who)]
    if status < 400:
        assert response.status_code == status, response.content
    else:
        assert_is_error(response, status, CODES[status])


@pytest.mark.parametrize(
    ("method", "route"), [key for key in TABLE if "<str:ref>" in key[1]], ids=lambda value: str(value)
)
def test_the_answer_does_not_tell_whether_a_session_exists(stage: Stage, method: str, route: str) -> None:
    client = Client()
    client.force_login(stage.users["outsider"])
    path, body = stage.path(route), TABLE[method, route].body
    there = call(client, method, path, body)
    for ref in ("no-such-session", "11111111-2222-3333-4444-555555555555", "%00", "%ED%A0%80", "x" * 300):
        nowhere = call(client, method, path.replace("the-plan", ref), body)
        assert nowhere.json() == there.json()
        assert nowhere.status_code == there.status_code == 404


@pytest.mark.parametrize(("method", "route"), TABLE, ids=lambda value: str(value))
def test_a_token_that_may_read_may_not_write(stage: Stage, method: str, route: str) -> None:
    from sessions.models import TokenScope

    _, raw = create_token(stage.users["owner"], "reader", TokenScope.READ)
    response = call(Client(), method, stage.path(route), TABLE[method, route].body, Authorization=f"Bearer {raw}")
    if method == "GET":
        assert response.status_code == 200
    else:
        assert_is_error(response, 403, "forbidden")


@pytest.mark.parametrize(("method", "route"), TABLE, ids=lambda value: str(value))
def test_a_wrong_token_is_never_taken_for_nobody_or_for_the_cookie(stage: Stage, method: str, route: str) -> None:
    client = Client()
    client.force_login(stage.users["owner"])
    for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"x-api-key": "wrong"}):
        response = call(client, method, stage.path(route), TABLE[method, route].body, **headers)
        assert_is_error(response, 401, "unauthenticated")
        assert response["WWW-Authenticate"].startswith("Bearer")
