"""Sessions and what is said in them: numbers, keys, announcements."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from hanzo_live.protocol.errors import LiveError
from sessions.endings import session_ended
from sessions.models import LiveSession, Member, Message, MessageStatus, OutboxRow, Role, User
from sessions.outbox import Announcement, announce, announced
from sessions.queries import history, message_wire, session_info, snapshot
from sessions.services import (
    create_session,
    delete_session,
    finish_reply,
    mark_reply,
    post_message,
    update_session,
)


def announcements(session: LiveSession) -> list[tuple[str, dict[str, Any]]]:
    rows = OutboxRow.objects.filter(log=session.log).order_by("id")
    return [(row.type, row.body) for row in rows]


def test_the_maker_of_a_session_owns_it(owner: User) -> None:
    session = create_session(owner, slug="plans")
    assert session.title == "Untitled session"
    assert Member.objects.get(session=session).role == Role.OWNER


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Big"),
        ("slug", "-x"),
        ("slug", "x" * 81),
        ("slug", "a/b"),
        ("slug", "x\n"),
        ("slug", "6b0a3f5e-52d1-4f0c-9d5e-0c7a1f2b3c4d"),
        ("slug", "6b0a3f5e52d14f0c9d5e0c7a1f2b3c4d"),
        ("title", "x" * 201),
        ("title", "a\0b"),
        ("title", "\ud800"),
        ("system_prompt", "x" * 50_001),
        ("model", "\0"),
        ("overlap", "maybe"),
    ],
)
def test_it_refuses_what_cannot_be_kept(owner: User, field: str, value: str) -> None:
    with pytest.raises(LiveError) as refusal:
        create_session(owner, **{field: value})
    assert (refusal.value.code, refusal.value.field) == ("bad_request", field)
    assert not LiveSession.objects.exists()


def test_two_sessions_cannot_have_one_slug(owner: User, outsider: User) -> None:
    create_session(owner, slug="plans")
    with pytest.raises(LiveError, match="taken") as refusal:
        create_session(outsider, slug="plans")
    assert (refusal.value.code, refusal.value.field) == ("conflict", "slug")
    other = create_session(outsider, slug="others")
    with pytest.raises(LiveError, match="taken"):
        update_session(other, outsider, slug="plans")


def test_a_change_is_announced_with_the_changed_fields_alone(owner: User) -> None:
    session = create_session(owner, title="A", model="small")
    update_session(session, owner, title="B", model="small")
    update_session(session, owner, overlap="reject")
    update_session(session, owner, title="B")
    assert announcements(session) == [
        ("session", {"session": {"title": "B"}}),
        ("session", {"session": {"settings": {"system_prompt": None, "overlap": "reject"}}}),
    ]


def test_a_prompt_and_its_reply_take_two_numbers_and_are_announced_in_order(owner: User) -> None:
    session = create_session(owner, title="Plans")
    post_message(session.pk, owner, "note to self")
    stream = uuid4()
    posted = post_message(session.pk, owner, "hello", key="k-1", reply_stream=stream)
    assert posted.reply is not None
    assert (posted.message.n, posted.reply.n) == (2, 3)
    session.refresh_from_db()
    assert session.last_n == 3
    events = announcements(session)
    assert [type for type, _ in events] == ["message"] * 3
    assert [body["message"]["n"] for _, body in events] == [1, 2, 3]
    assert events[1][1]["message"] == message_wire(posted.message)
    reply = events[2][1]["message"]
    assert (reply["role"], reply["status"], reply["content"], reply["stream"]) == (
        "assistant",
        "streaming",
        "",
        str(stream),
    )
    assert reply["user"]["name"] == "Olga"


def test_the_same_key_again_gives_the_earlier_rows_and_no_event(owner: User, teammate: User) -> None:
    session = create_session(owner, title="Plans")
    first = post_message(session.pk, owner, "hello", key="k", reply_stream=uuid4())
    again = post_message(session.pk, owner, "hello", key="k", reply_stream=uuid4())
    assert again.existing
    assert not first.existing
    assert (again.message, again.reply) == (first.message, first.reply)
    assert len(announcements(session)) == 2
    alone = post_message(session.pk, owner, "no answer", key="alone")
    post_message(session.pk, owner, "next")
    assert post_message(session.pk, owner, "no answer", key="alone").reply is None
    # Keys are each sender's own.
    assert not post_message(session.pk, teammate, "hello", key="k").existing
    assert alone.message.n == 3


@pytest.mark.parametrize("content", ["", "  \n", "a\0b", "\udfff", "x" * 200_001])
def test_it_refuses_content_that_is_none(owner: User, content: str) -> None:
    session = create_session(owner)
    with pytest.raises(LiveError) as refusal:
        post_message(session.pk, owner, content)
    assert (refusal.value.code, refusal.value.field) == ("bad_request", "content")
    assert not Message.objects.exists()


def test_an_archived_session_takes_no_messages_until_it_is_opened_again(owner: User) -> None:
    session = create_session(owner)
    update_session(session, owner, archived=True)
    with pytest.raises(LiveError, match="archived"):
        post_message(session.pk, owner, "hello")
    update_session(session, owner, archived=False)
    assert post_message(session.pk, owner, "hello").message.n == 1


def test_a_message_to_a_session_that_is_gone_is_not_found(owner: User) -> None:
    with pytest.raises(LiveError) as refusal:
        post_message(uuid4(), owner, "hello")
    assert refusal.value.code == "not_found"


def test_what_a_stream_wrote_is_stored_and_moves_the_session_up(owner: User) -> None:
    session = create_session(owner)
    reply = post_message(session.pk, owner, "hello", reply_stream=uuid4()).reply
    assert reply is not None
    mark_reply(reply.pk, MessageStatus.STREAMING)
    before = LiveSession.objects.get(pk=session.pk).updated_at
    message = finish_reply(
        reply.pk, content="Hi.", parts=[{"type": "reasoning"}], status=MessageStatus.COMPLETE, finish_reason="stop"
    )
    assert message is not None
    wire = message_wire(Message.objects.select_related("user").get(pk=reply.pk))
    assert wire == message_wire(message)
    assert (wire["content"], wire["status"], wire["finish_reason"]) == ("Hi.", "complete", "stop")
    assert LiveSession.objects.get(pk=session.pk).updated_at > before
    assert finish_reply(uuid4(), content="", parts=[], status=MessageStatus.FAILED, finish_reason="") is None


def test_a_message_and_its_event_stand_and_fall_together(owner: User) -> None:
    session = create_session(owner)

    def post_and_fail() -> None:
        with transaction.atomic():
            post_message(session.pk, owner, "hello", reply_stream=uuid4())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        post_and_fail()
    assert not Message.objects.exists()
    assert not OutboxRow.objects.exists()
    session.refresh_from_db()
    assert session.last_n == 0


@pytest.mark.django_db(transaction=True)
def test_an_event_without_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        announce("session:x", Announcement("message", {}))


@pytest.mark.django_db(transaction=True)
def test_whoever_listens_hears_after_the_commit(make_user: Callable[..., User]) -> None:
    heard: list[tuple[str, int]] = []

    def listen(sender: Any, log: str, **_: Any) -> None:
        assert not connection.in_atomic_block
        heard.append((log, Message.objects.count()))

    user = make_user("Olga")
    session = create_session(user)
    announced.connect(listen)
    try:
        with transaction.atomic():
            post_message(session.pk, user, "hello")
            assert heard == []
    finally:
        announced.disconnect(listen)
    assert heard == [(session.log, 1)]


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_holes_when_many_post_at_once(make_user: Callable[..., User]) -> None:
    user = make_user("Olga")
    session = create_session(user)
    threads, each = 6, 5
    ready = threading.Barrier(threads)

    def post(thread: int) -> None:
        try:
            ready.wait(10)
            for number in range(each):
                # Every message is sent twice, as after a lost answer.
                for _ in range(2):
                    post_message(session.pk, user, "hello", key=f"{thread}-{number}", reply_stream=uuid4())
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(post, range(threads)))
    rows = list(Message.objects.filter(session=session).order_by("n"))
    assert [row.n for row in rows] == list(range(1, 2 * threads * each + 1))
    # A prompt and its reply are neighbours, whoever wrote meanwhile.
    assert all(row.role == ("user" if row.n % 2 else "assistant") for row in rows)


@pytest.mark.django_db(transaction=True)
def test_events_are_in_the_order_of_the_numbers_when_many_post_at_once(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody drains the outbox here, so that its order can be seen.
    monkeypatch.setattr(announced, "receivers", [])
    announced.sender_receivers_cache.clear()
    user = make_user("Olga")
    session = create_session(user, title="Plans")

    def post(_: int) -> None:
        try:
            post_message(session.pk, user, "hello")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(post, range(20)))
    assert [body["message"]["n"] for _, body in announcements(session)] == list(range(1, 21))


def test_deleting_takes_everything_and_tells_who_watches(
    live_session: LiveSession, owner: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    heard: list[tuple[str, str]] = []

    def listen(sender: Any, log: str, reason: str, **_: Any) -> None:
        heard.append((log, reason))

    post_message(live_session.pk, owner, "hello")
    session_ended.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            delete_session(live_session)
    finally:
        session_ended.disconnect(listen)
    assert heard == [(live_session.log, "deleted")]
    assert not Message.objects.exists()
    assert not Member.objects.exists()


# Reads ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_holds_the_latest_in_order_with_two_queries(
    live_session: LiveSession, owner: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    for number in range(5):
        post_message(live_session.pk, owner, f"message {number}")
    for tail, expected, more in (
        (3, [3, 4, 5], True),
        (5, [1, 2, 3, 4, 5], False),
        (50, [1, 2, 3, 4, 5], False),
        (0, [], True),
    ):
        with django_assert_num_queries(2):
            state = snapshot(live_session, tail)
        assert [message["n"] for message in state["messages"]] == expected
        assert state["has_more"] is more
    assert state["session"] == session_info(live_session)
    assert [member["role"] for member in state["members"]] == ["owner", "editor", "viewer"]


def test_a_model_is_told_what_was_said_by_whom_without_what_failed(
    live_session: LiveSession, owner: User, teammate: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    def answered(user: User, prompt: str, answer: str, status: MessageStatus) -> Message:
        reply = post_message(live_session.pk, user, prompt, reply_stream=uuid4()).reply
        assert reply is not None
        finish_reply(reply.pk, content=answer, parts=[], status=status, finish_reason="")
        return reply

    answered(owner, "one", "1", MessageStatus.COMPLETE)
    answered(teammate, "two", "tw", MessageStatus.STOPPED)
    answered(owner, "three", "half", MessageStatus.FAILED)
    waiting = post_message(live_session.pk, owner, "four", reply_stream=uuid4()).reply
    assert waiting is not None
    post_message(live_session.pk, teammate, "five", reply_stream=uuid4())
    with django_assert_num_queries(1):
        said = history(live_session.pk, 10, before_n=waiting.n)
    assert [(each.speaker, each.content) for each in said] == [
        ("Olga", "one"),
        (None, "1"),
        ("Tariq", "two"),
        (None, "tw"),
        ("Olga", "three"),
        ("Olga", "four"),
    ]
    assert [each.content for each in history(live_session.pk, 2)] == ["four", "five"]
