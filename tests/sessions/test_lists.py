"""Lists over REST: what narrows and orders them, that walking them misses nothing, and what is refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from sessions import invitations
from sessions.models import Invitation, LiveSession, Member, Message, Role, User
from sessions.services import create_session, update_session
from tests.rest import assert_is_error, call, walk

# Named here, not drawn: tests that run side by side must be the same everywhere.
NOBODY = "304db580-0ec2-447a-8f61-2273812a51c8"


@pytest.fixture
def client(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def titles(client: Client, query: str) -> list[str]:
    pages, _ = walk(client, f"/v1/sessions?{query}")
    return [session["title"] for page in pages for session in page]


@pytest.mark.parametrize("order", ["-updated_at", "updated_at", "-created_at", "created_at", "title", "-title"])
def test_every_order_of_sessions_is_walked_both_ways_though_all_are_the_same(
    client: Client, owner: User, order: str
) -> None:
    for _ in range(7):
        create_session(owner, title="Ünder “𝕊” " * 15)
    now = timezone.now()
    LiveSession.objects.update(created_at=now, updated_at=now)
    pages, addresses = walk(client, f"/v1/sessions?limit=3&order={order}")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len({session["id"] for page in pages for session in page}) == 7
    back = call(client, "GET", call(client, "GET", addresses[-1]).json()["previous"]).json()
    assert back["results"] == pages[1]
    first = call(client, "GET", back["previous"]).json()
    assert (first["results"], first["previous"]) == (pages[0], None)


def test_sessions_are_sorted_by_title_whatever_its_case(client: Client, owner: User) -> None:
    for title in ("beta", "Alpha", "Gamma", "alpha 2"):
        create_session(owner, title=title)
    assert titles(client, "order=title&limit=1") == ["Alpha", "alpha 2", "beta", "Gamma"]
    assert titles(client, "order=-title&limit=1") == ["Gamma", "beta", "alpha 2", "Alpha"]


def test_sessions_are_narrowed_by_title_model_role_and_archive(client: Client, owner: User, outsider: User) -> None:
    create_session(owner, title="100% sure", model="small")
    create_session(owner, title="1000 plans", model="large")
    put_away = create_session(owner, title="Old plans", model="small")
    update_session(put_away, owner, archived=True)
    others = create_session(outsider, title="Their plans")
    Member.objects.create(session=others, user=owner, role=Role.VIEWER)
    assert titles(client, "q=PLAN&order=title") == ["1000 plans", "Their plans"]
    assert titles(client, "q=0%25") == ["100% sure"]
    assert titles(client, "q=_") == []
    assert titles(client, "q=&order=title") == ["100% sure", "1000 plans", "Their plans"]
    assert titles(client, "model=small") == ["100% sure"]
    assert titles(client, "model=small&archived=true") == ["Old plans"]
    assert titles(client, "role=viewer") == ["Their plans"]
    assert titles(client, "role=owner&q=plans") == ["1000 plans"]


def test_messages_are_narrowed_by_status_and_number(client: Client, owner: User) -> None:
    session = create_session(owner, slug="plan")
    statuses = ["complete", "queued", "streaming", "stopped", "failed", "complete"]
    Message.objects.bulk_create(
        Message(session=session, n=n, role="user", content="m", user=owner, status=status)
        for n, status in enumerate(statuses, 1)
    )

    def numbers(query: str) -> list[int]:
        pages, _ = walk(client, f"/v1/sessions/plan/messages?{query}")
        return [message["n"] for page in reversed(pages) for message in page]

    assert numbers("status=complete") == [1, 6]
    assert numbers("status=streaming&limit=1") == [2, 3]
    assert numbers("status=failed") == [5]
    assert numbers("after_n=2&limit=2") == [3, 4, 5, 6]
    assert numbers("after_n=2&before_n=5&limit=1") == [3, 4]
    assert numbers("before_n=0") == []


def test_invitations_are_listed_by_where_they_stand(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    now = timezone.now()
    changes: dict[str, dict[str, Any]] = {
        "open": {},
        "used_up": {"uses": 1},
        "expired": {"expires_at": now - timedelta(seconds=1)},
        "revoked": {"revoked_at": now, "uses": 1, "expires_at": now},
        "declined": {"declined_at": now, "uses": 1},
        "by one who left": {"inviter": None},
        "by an editor": {"inviter": teammate},
    }
    for name, fields in changes.items():
        given = {"inviter": owner, "role": Role.VIEWER, "expires_at": now + timedelta(days=1), "email": name}
        Invitation.objects.create(session=live_session, digest=uuid4().hex, **{**given, **fields})

    def listed(query: str) -> list[str]:
        pages, _ = walk(client, f"/v1/sessions/the-plan/invitations?{query}")
        return [invitation["email"] for page in pages for invitation in page]

    assert listed("") == listed("state=open") == ["open"]
    for state in ("used_up", "expired", "declined"):
        assert listed(f"state={state}") == [state]
    assert listed("state=revoked&limit=1") == ["by an editor", "by one who left", "revoked"]
    for invitation in Invitation.objects.select_related("session"):
        assert invitation in invitations.invitations_in(live_session, invitations.standing_of(invitation))


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/sessions", "order=size", "order"),
        ("/v1/sessions", "archived=perhaps", "archived"),
        ("/v1/sessions", "role=king", "role"),
        ("/v1/sessions", f"q={'x' * 201}", "q"),
        ("/v1/sessions", "q=%00", "q"),
        ("/v1/sessions", "limit=0", "limit"),
        ("/v1/sessions/the-plan/messages", "status=queued", "status"),
        ("/v1/sessions/the-plan/messages", "after_n=-1", "after_n"),
        ("/v1/sessions/the-plan/messages", "before_n=99999999999", "before_n"),
        ("/v1/sessions/the-plan/invitations", "state=archived", "state"),
        ("/v1/sessions/the-plan/invitations", "limit=201", "limit"),
        ("/v1/sessions/the-plan/streams", "status=done", "status"),
        ("/v1/sessions/the-plan/streams", "user=olga", "user"),
        ("/v1/sessions/the-plan/streams", "after=yesterday", "after"),
        ("/v1/sessions/the-plan/streams", "before=0001-01-01T00:00:00%2B14:00", "before"),
        ("/v1/sessions/the-plan/streams", "order=newest", "order"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(
    client: Client, live_session: LiveSession, path: str, query: str, field: str
) -> None:
    assert assert_is_error(call(client, "GET", f"{path}?{query}"), 400, "bad_request")["field"] == field


LISTS = {
    "/v1/sessions": "role=&q=&model=&order=&cursor=",
    "/v1/sessions/the-plan/messages": "role=&user=&status=&after_n=&before_n=&cursor=",
    "/v1/sessions/the-plan/invitations": "state=&cursor=",
    "/v1/sessions/the-plan/streams": "status=&model=&user=&after=&before=&order=&cursor=",
}


@pytest.mark.parametrize(("path", "empty"), LISTS.items())
def test_an_empty_value_changes_nothing(client: Client, live_session: LiveSession, path: str, empty: str) -> None:
    plain = call(client, "GET", path).json()
    assert call(client, "GET", f"{path}?{empty}").json() == plain


@pytest.mark.parametrize("path", [*LISTS, "/v1/search"])
@pytest.mark.parametrize("query", ["colour=red", "archieved=true", "limit=2&limit=3"])
def test_a_name_that_the_list_does_not_know_is_refused_and_so_is_one_given_twice(
    client: Client, live_session: LiveSession, path: str, query: str
) -> None:
    error = assert_is_error(
        call(client, "GET", f"{path}?q=plan&{query}" if path == "/v1/search" else f"{path}?{query}"), 400, "bad_request"
    )
    assert error["field"] == query.partition("=")[0]


def forged(*told: Any) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@pytest.mark.parametrize("order", ["-created_at", "title"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "bnVsbA",
        forged("b"),
        forged("c", "2026-01-01T00:00:00+00:00", NOBODY),
        forged([], "2026-01-01T00:00:00+00:00", NOBODY),
        forged("b", 5, NOBODY),
        forged("b", "2026-01-01T00:00:00+00:00", 5),
        forged("b", None, None),
        forged("b", "\0", NOBODY),
        forged("b", "\ud800", NOBODY),
        "W1" * 900,
    ],
)
def test_a_forged_cursor_is_refused(client: Client, live_session: LiveSession, order: str, cursor: str) -> None:
    refused = call(client, "GET", f"/v1/sessions?order={order}&cursor={cursor}")
    assert assert_is_error(refused, 400, "bad_request")["field"] == "cursor"


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"])
def test_a_cursor_of_no_time_is_refused(client: Client, live_session: LiveSession, moment: str) -> None:
    refused = call(client, "GET", f"/v1/sessions?cursor={forged('b', moment, str(uuid4()))}")
    assert assert_is_error(refused, 400, "bad_request")["field"] == "cursor"
