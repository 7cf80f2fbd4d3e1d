"""Starting a new session from what was said in another one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from hanzo_live.protocol.errors import LiveError
from sessions import copying
from sessions.copying import duplicate_session
from sessions.models import LiveSession, Member, Message, MessageStatus, User
from sessions.services import create_session, finish_reply, post_message
from tests.rest import assert_is_error, call


@pytest.fixture
def talk(owner: User, live_session: LiveSession) -> LiveSession:
    """Two questions with their answers, and a third whose answer is still being written."""
    for word in ("one", "two"):
        reply = post_message(live_session.pk, owner, word, reply_stream=uuid4(), key=word).reply
        assert reply is not None
        finish_reply(
            reply.pk,
            content=f"{word}!",
            parts=[{"type": "reasoning", "text": "hm"}],
            status=MessageStatus.COMPLETE,
            finish_reason="stop",
        )
    post_message(live_session.pk, owner, "three", reply_stream=uuid4())
    Message.objects.update(created_at=timezone.now() - timedelta(days=3))
    return live_session


def said(session: LiveSession) -> list[tuple[int, str]]:
    return list(Message.objects.filter(session=session).order_by("n").values_list("n", "content"))


def test_a_copy_holds_what_was_said_and_belongs_to_who_made_it(talk: LiveSession, viewer: User) -> None:
    copy = duplicate_session(talk, viewer)
    assert said(copy) == [(1, "one"), (2, "one!"), (3, "two"), (4, "two!"), (5, "three")]
    assert (copy.title, copy.slug, copy.last_n) == ("The plan (copy)", None, 5)
    assert [(member.user, member.role) for member in Member.objects.filter(session=copy)] == [(viewer, "owner")]
    original, copied = (Message.objects.get(session=session, n=2) for session in (talk, copy))
    assert (copied.user, copied.parts, copied.created_at) == (original.user, original.parts, original.created_at)
    assert (copied.stream, copied.key) == (None, None)
    assert said(talk)[-1] == (6, "")


def test_a_copy_goes_on_by_itself(talk: LiveSession, owner: User) -> None:
    copy = duplicate_session(talk, owner)
    assert post_message(copy.pk, owner, "four", key="one").message.n == 6
    assert len(said(talk)) == 6


def test_it_starts_from_a_message(talk: LiveSession, owner: User) -> None:
    second = Message.objects.get(session=talk, n=2)
    assert said(duplicate_session(talk, owner, from_message=second.pk)) == [(1, "one"), (2, "one!")]


def test_batches_miss_nothing(talk: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "ROWS_AT_ONCE", 2)
    copy = duplicate_session(talk, owner)
    assert said(copy) == said(talk)[:5]


def test_a_message_of_another_session_is_not_found(talk: LiveSession, owner: User) -> None:
    other = create_session(owner)
    elsewhere = post_message(other.pk, owner, "secret").message
    for id in (elsewhere.pk, uuid4()):
        with pytest.raises(LiveError) as refusal:
            duplicate_session(talk, owner, from_message=id)
        assert (refusal.value.code, refusal.value.field) == ("not_found", "from_message")
    assert LiveSession.objects.count() == 2


def test_too_much_is_refused_with_what_to_do(talk: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "MAX_COPIED", 4)
    with pytest.raises(LiveError, match="earlier message") as refusal:
        duplicate_session(talk, owner)
    assert refusal.value.code == "too_large"


def test_it_is_asked_over_rest(talk: LiveSession, viewer: User, signed_in: Callable[..., Client]) -> None:
    client = signed_in(viewer)
    first = Message.objects.get(session=talk, n=1)
    made = call(client, "POST", "/v1/sessions/the-plan/duplicate", {"from_message": str(first.pk)})
    assert made.status_code == 201
    assert (made.json()["role"], made.json()["unread"], made.json()["last_n"]) == ("owner", 0, 1)
    messages = call(client, "GET", f"/v1/sessions/{made.json()['id']}/messages").json()["results"]
    assert [message["content"] for message in messages] == ["one"]
    for wrong in ("x", 7, True, ["x"]):
        answer = call(client, "POST", "/v1/sessions/the-plan/duplicate", {"from_message": wrong})
        assert assert_is_error(answer, 400, "bad_request")["field"] == "from_message"
