"""What is new to a member, and the lists that say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sessions.membership import add_member
from sessions.models import LiveSession, Member, Message, Role, User
from sessions.reading import MAX_UNREAD, mark_read, unread_counts
from sessions.services import create_session, post_message, update_session
from tests.rest import assert_is_error, call


def unread(session: LiveSession, user: User) -> int:
    member = Member.objects.get(session=session, user=user)
    return unread_counts([member])[member.pk]


def test_what_others_say_is_new_until_it_is_read(live_session: LiveSession, owner: User, viewer: User) -> None:
    for _ in range(3):
        post_message(live_session.pk, owner, "hello")
    assert (unread(live_session, viewer), unread(live_session, owner)) == (3, 0)
    assert mark_read(live_session, viewer, 2).last_read_n == 2
    assert unread(live_session, viewer) == 1
    assert mark_read(live_session, viewer, 1).last_read_n == 2
    assert mark_read(live_session, viewer, 2**53).last_read_n == 3
    assert unread(live_session, viewer) == 0
    post_message(live_session.pk, owner, "again")
    assert unread(live_session, viewer) == 1


def test_the_answer_to_an_own_prompt_is_new(live_session: LiveSession, owner: User, viewer: User) -> None:
    post_message(live_session.pk, owner, "hello", reply_stream=uuid4())
    assert (unread(live_session, owner), unread(live_session, viewer)) == (1, 2)


def test_what_somebody_said_who_left_the_house_is_new(live_session: LiveSession, owner: User, teammate: User) -> None:
    post_message(live_session.pk, teammate, "bye")
    teammate.delete()
    assert unread(live_session, owner) == 1


def test_what_was_said_before_somebody_came_is_not_new(live_session: LiveSession, owner: User, outsider: User) -> None:
    post_message(live_session.pk, owner, "hello")
    add_member(live_session, owner, outsider, Role.VIEWER)
    assert unread(live_session, outsider) == 0
    post_message(live_session.pk, owner, "welcome")
    assert unread(live_session, outsider) == 1


def test_it_counts_among_the_newest_only(live_session: LiveSession, owner: User, viewer: User) -> None:
    Message.objects.bulk_create(
        Message(session=live_session, n=n, role="user", content="x", user=owner) for n in range(1, 301)
    )
    LiveSession.objects.filter(pk=live_session.pk).update(last_n=300)
    assert unread(live_session, viewer) == MAX_UNREAD


def test_it_is_marked_over_rest(
    live_session: LiveSession, owner: User, viewer: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(viewer)
    for _ in range(2):
        post_message(live_session.pk, owner, "hello")
    listed = call(client, "GET", "/v1/sessions").json()["results"][0]
    assert (listed["unread"], listed["last_n"], listed["last_read_n"]) == (2, 2, 0)
    assert call(client, "GET", "/v1/sessions/the-plan").json()["unread"] == 2
    assert call(client, "POST", "/v1/sessions/the-plan/read", {"n": 1}).json() == {"last_read_n": 1, "unread": 1}
    for wrong in (-1, "x", None, 2**40, 1.5):
        answer = call(client, "POST", "/v1/sessions/the-plan/read", {"n": wrong})
        assert assert_is_error(answer, 400, "bad_request")["field"] == "n"


@pytest.fixture
def several(owner: User, outsider: User) -> list[LiveSession]:
    """Five sessions of hers, the second archived, the last one another's."""
    sessions = [create_session(owner, title=f"s{number}") for number in range(4)]
    update_session(sessions[1], owner, archived=True)
    theirs = create_session(outsider, title="s4")
    add_member(theirs, outsider, owner, Role.VIEWER)
    return [*sessions, theirs]


def titles(client: Client, query: str = "") -> list[str]:
    found: list[str] = []
    address: Any = f"/v1/sessions?limit=2{query}"
    while address:
        page = call(client, "GET", address).json()
        found += [session["title"] for session in page["results"]]
        address = page["next"]
    return found


def test_lists_are_filtered_and_ordered(
    several: list[LiveSession], owner: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(owner)
    post_message(several[0].pk, owner, "newest")
    assert titles(client) == ["s0", "s4", "s3", "s2"]
    assert titles(client, "&archived=true") == ["s1"]
    assert titles(client, "&order=updated_at") == ["s2", "s3", "s4", "s0"]
    assert titles(client, "&order=created_at") == ["s0", "s2", "s3", "s4"]
    assert titles(client, "&order=-created_at") == ["s4", "s3", "s2", "s0"]
    assert titles(client, "&role=viewer") == ["s4"]
    assert titles(client, "&role=owner&order=created_at") == ["s0", "s2", "s3"]
    for query, field in (("order=age", "order"), ("role=king", "role"), ("archived=maybe", "archived")):
        assert assert_is_error(call(client, "GET", f"/v1/sessions?{query}"), 400, "bad_request")["field"] == field


@pytest.mark.parametrize("order", ["updated_at", "-updated_at", "created_at", "-created_at"])
def test_every_order_is_walked_back(
    several: list[LiveSession], owner: User, signed_in: Callable[..., Client], order: str
) -> None:
    client = signed_in(owner)
    LiveSession.objects.update(created_at=several[0].created_at)  # ties are told apart
    first = call(client, "GET", f"/v1/sessions?limit=2&order={order}").json()
    second = call(client, "GET", first["next"]).json()
    assert first["previous"] is None
    assert call(client, "GET", second["previous"]).json() == first
    assert len({session["id"] for session in first["results"] + second["results"]}) == 4


def test_a_list_with_counts_costs_the_same_however_much_is_new(
    owner: User, viewer: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(viewer)

    def add() -> None:
        session = create_session(owner)
        add_member(session, owner, viewer, Role.VIEWER)
        for _ in range(3):
            post_message(session.pk, owner, "hello")

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert all(each["unread"] == 3 for each in call(client, "GET", "/v1/sessions").json()["results"])
        return len(captured)

    add()
    one = count()
    for _ in range(5):
        add()
    assert count() == one <= 5


# Archiving and deleting -------------------------------------------------------------------------------------------


def test_an_archived_session_is_read_and_not_written(
    live_session: LiveSession, owner: User, teammate: User, signed_in: Callable[..., Client]
) -> None:
    post_message(live_session.pk, owner, "hello")
    update_session(live_session, owner, archived=True)
    client = signed_in(teammate)
    assert call(client, "GET", "/v1/sessions/the-plan").json()["archived"]
    assert len(call(client, "GET", "/v1/sessions/the-plan/messages").json()["results"]) == 1
    assert call(client, "POST", "/v1/sessions/the-plan/read", {"n": 1}).status_code == 200
    refused = call(client, "POST", "/v1/sessions/the-plan/messages", {"content": "x", "reply": False})
    assert "archived" in assert_is_error(refused, 409, "conflict")["message"]
    # Starting anew from what was said is reading.
    assert not call(client, "POST", "/v1/sessions/the-plan/duplicate", {}).json()["archived"]


def test_a_session_is_deleted_when_its_title_is_given_as_it_is(
    live_session: LiveSession, owner: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(owner)
    refused = call(client, "DELETE", "/v1/sessions/the-plan?confirm=Another")
    assert assert_is_error(refused, 409, "conflict")["field"] == "confirm"
    assert LiveSession.objects.exists()
    assert call(client, "DELETE", "/v1/sessions/the-plan?confirm=The%20plan").status_code == 204
    assert not LiveSession.objects.exists()
