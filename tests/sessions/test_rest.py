"""Sessions, messages, members and the own account over REST: what is answered, and at what cost."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.authentication import identity_of_token, redeem_ticket
from sessions.models import LiveSession, Message, User
from sessions.queries import message_wire
from sessions.services import create_session, post_message
from tests.rest import assert_is_error, call, walk


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def test_a_session_from_beginning_to_end(client: Client, owner: User) -> None:
    made = call(
        client,
        "POST",
        "/v1/sessions",
        {"title": "Plan", "slug": "plan", "model": "small", "system_prompt": "Be brief.", "overlap": "reject"},
    )
    assert made.status_code == 201
    session = made.json()
    assert session["log"] == f"session:{session['id']}"
    assert (session["slug"], session["title"], session["model"], session["role"]) == ("plan", "Plan", "small", "owner")
    assert (session["system_prompt"], session["overlap"], session["archived"]) == ("Be brief.", "reject", False)
    assert (
        call(client, "GET", "/v1/sessions/plan").json()
        == call(client, "GET", f"/v1/sessions/{session['id']}").json()
        == session
    )
    changed = call(
        client, "PATCH", "/v1/sessions/plan", {"title": "Plans", "slug": None, "model": None, "archived": True}
    ).json()
    assert (changed["title"], changed["slug"], changed["model"], changed["archived"]) == ("Plans", None, None, True)
    assert_is_error(call(client, "GET", "/v1/sessions/plan"), 404, "not_found")
    assert call(client, "DELETE", f"/v1/sessions/{session['id']}").status_code == 204
    assert_is_error(call(client, "GET", f"/v1/sessions/{session['id']}"), 404, "not_found")


def test_a_slug_that_is_taken_is_a_conflict(client: Client, live_session: LiveSession) -> None:
    assert (
        assert_is_error(call(client, "POST", "/v1/sessions", {"slug": "the-plan"}), 409, "conflict")["field"] == "slug"
    )


def test_the_list_of_sessions_is_walked_both_ways(client: Client, owner: User, outsider: User) -> None:
    names = [f"s{number}" for number in range(7)]
    for name in names:
        create_session(owner, title=name)
    create_session(outsider, title="not hers")
    LiveSession.objects.update(updated_at=LiveSession.objects.latest("updated_at").updated_at)  # ties are told apart
    pages, addresses = walk(client, "/v1/sessions?limit=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert sorted(session["title"] for page in pages for session in page) == names
    last = call(client, "GET", addresses[-1]).json()
    back = call(client, "GET", last["previous"]).json()
    assert back["results"] == pages[1]
    assert call(client, "GET", back["previous"]).json()["results"] == pages[0]


def test_the_session_with_the_latest_activity_is_first(client: Client, owner: User) -> None:
    first = create_session(owner, title="first")
    create_session(owner, title="second")
    post_message(first.pk, owner, "hello")
    titles = [session["title"] for session in call(client, "GET", "/v1/sessions").json()["results"]]
    assert titles == ["first", "second"]


def test_messages_come_newest_page_first_and_in_order_within(client: Client, owner: User) -> None:
    session = create_session(owner, slug="plan")
    for number in range(1, 8):
        post_message(session.pk, owner, f"message {number}")
    pages, addresses = walk(client, "/v1/sessions/plan/messages?limit=3")
    assert [[message["n"] for message in page] for page in pages] == [[5, 6, 7], [2, 3, 4], [1]]
    assert call(client, "GET", addresses[0]).json()["previous"] is None
    back = call(client, "GET", call(client, "GET", addresses[-1]).json()["previous"]).json()
    assert [message["n"] for message in back["results"]] == [2, 3, 4]
    assert back["next"] is not None
    assert pages[0][0] == message_wire(Message.objects.get(n=5))
    empty = create_session(owner)
    assert call(client, "GET", f"/v1/sessions/{empty.pk}/messages").json() == {
        "results": [],
        "next": None,
        "previous": None,
    }


def test_messages_are_narrowed_by_who_said_them(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    for user, content in ((owner, "a"), (teammate, "b"), (owner, "c")):
        post_message(live_session.pk, user, content, reply_stream=uuid4())
    path = "/v1/sessions/the-plan/messages?limit=2"

    def numbers(query: str) -> list[list[int]]:
        return [[message["n"] for message in page] for page in walk(client, path + query)[0]]

    assert numbers("&role=user") == [[3, 5], [1]]
    assert numbers(f"&role=user&user={owner.pk}") == [[1, 5]]
    assert numbers(f"&user={teammate.pk}") == [[3, 4]]
    for query, field in (("role=king", "role"), ("user=x", "user")):
        assert assert_is_error(call(client, "GET", f"{path}&{query}"), 400, "bad_request")["field"] == field


def test_a_page_costs_the_same_however_long_the_session_is(client: Client, owner: User, teammate: User) -> None:
    session = create_session(owner, slug="long")

    def fill(first: int, last: int) -> None:
        users = (owner, teammate)
        Message.objects.bulk_create(
            (
                Message(session=session, n=n, role="user", content=f"m{n}", user=users[n % 2])
                for n in range(first, last)
            ),
            batch_size=5_000,
        )
        with connection.cursor() as cursor:
            # As a database that has had them for a while: without statistics it plans for a handful.
            cursor.execute("ANALYZE live_sessions_message")

    def queries(path: str) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(call(client, "GET", path).json()["results"]) == 50
        return [query["sql"] for query in captured.captured_queries]

    fill(1, 101)
    before = queries("/v1/sessions/long/messages")
    fill(101, 100_001)
    after = queries("/v1/sessions/long/messages")
    assert len(before) == len(after) <= 4
    deep = queries("/v1/sessions/long/messages?cursor=b50000")
    assert len(deep) == len(before)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{deep[-1]}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "message_n_once" in plan or "INDEX" in plan
    assert "SCAN live_sessions_message" not in plan
    assert "Seq Scan on live_sessions_message" not in plan


def test_a_list_of_sessions_costs_the_same_however_many_there_are(client: Client, owner: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            call(client, "GET", "/v1/sessions")
        return len(captured)

    create_session(owner)
    one = count()
    for _ in range(9):
        create_session(owner)
    assert count() == one


def test_members_are_added_changed_and_removed(
    client: Client, live_session: LiveSession, outsider: User, viewer: User
) -> None:
    path = "/v1/sessions/the-plan/members"
    added = call(client, "POST", path, {"email": "Otto@Example.com", "role": "editor"})
    assert added.status_code == 201
    assert added.json() == {"user": {"id": str(outsider.pk), "name": "Otto", "avatar": None}, "role": "editor"}
    assert_is_error(call(client, "POST", path, {"user": str(outsider.pk), "role": "viewer"}), 409, "conflict")
    assert_is_error(call(client, "POST", path, {"user": str(uuid4()), "role": "viewer"}), 404, "not_found")
    assert call(client, "PATCH", f"{path}/{viewer.pk}", {"role": "editor"}).json()["role"] == "editor"
    assert call(client, "DELETE", f"{path}/{outsider.pk}").status_code == 204
    names = [member["user"]["name"] for member in call(client, "GET", path).json()["results"]]
    assert names == ["Olga", "Tariq", "Vera"]


def test_everybody_may_leave_and_the_last_owner_may_not(
    live_session: LiveSession, owner: User, viewer: User, signed_in: Callable[..., Client]
) -> None:
    path = "/v1/sessions/the-plan/members"
    assert call(signed_in(viewer), "DELETE", f"{path}/{viewer.pk}").status_code == 204
    assert_is_error(call(signed_in(viewer), "GET", path), 404, "not_found")
    assert_is_error(call(signed_in(owner), "DELETE", f"{path}/{owner.pk}"), 409, "conflict")


def test_i_see_and_rename_myself(client: Client, owner: User) -> None:
    me = call(client, "GET", "/v1/me").json()
    assert me == {"id": str(owner.pk), "name": "Olga", "avatar": None, "email": "olga@example.com", "is_admin": False}
    assert call(client, "PATCH", "/v1/me", {"name": " Olga P. "}).json()["name"] == "Olga P."


def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    client: Client, owner: User, outsider: User, signed_in: Callable[..., Client]
) -> None:
    made = call(client, "POST", "/v1/tokens", {"name": "laptop", "scope": "read"}).json()
    raw = made.pop("token")
    assert call(client, "GET", "/v1/tokens").json()["results"] == [made]
    assert identity_of_token(raw).user == owner
    for header in ("Authorization", "x-api-key", "X-Hanzo-Key", "Ocp-Apim-Subscription-Key"):
        value = f"Bearer {raw}" if header == "Authorization" else raw
        assert call(Client(), "GET", "/v1/me", None, **{header: value}).json()["name"] == "Olga"
    assert_is_error(call(signed_in(outsider), "DELETE", f"/v1/tokens/{made['id']}"), 404, "not_found")
    assert call(client, "DELETE", f"/v1/tokens/{made['id']}").status_code == 204
    assert_is_error(call(Client(), "GET", "/v1/me", None, Authorization=f"Bearer {raw}"), 401, "unauthenticated")
    assert call(client, "GET", "/v1/tokens").json()["results"] == []


def test_a_ticket_is_for_who_asked(client: Client, owner: User) -> None:
    made = call(client, "POST", "/v1/tickets")
    assert made.status_code == 201
    assert made.json()["expires_in"] == 60
    assert redeem_ticket(made.json()["ticket"]).user == owner
