"""What goes on in a session, over REST: its queue and what is taken back of it, one's own streams, presence, the draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pycrdt import Doc, Text
from redis.asyncio import Redis

from hanzo_live.protocol import StreamRequest
from presence.draft.store import DraftStore, Place
from presence.leases import Leases
from presence.people import Connection
from sessions.models import LiveSession, Message, OutboxRow, User
from sessions.queries import history, user_wire
from streaming.models import Stream
from streaming.services import Started, start_stream, stop_stream
from tests.rest import assert_is_error, call

QUEUE = "/v1/sessions/the-plan/queue"


@pytest.fixture
def client(owner: User, signed_in: Callable[..., Client]) -> Client:
    return signed_in(owner)


def ask(user: User, content: str, session: str | None = "the-plan", **options: Any) -> Started:
    return start_stream(user, StreamRequest(content=content, **options), session_ref=session, content=content)


def begin(started: Started) -> None:
    """As a worker does that takes it."""
    Stream.objects.filter(pk=started.stream).update(status="running", lease="a worker")


def told(session: LiveSession) -> list[str]:
    """What a model would be told of."""
    return [said.content for said in history(session.pk, 100)]


# The queue --------------------------------------------------------------------------------------------------------


def test_the_queue_says_who_asked_what_in_which_order(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    assert call(client, "GET", QUEUE).json() == {"results": []}
    asked = [ask(user, text) for user, text in ((owner, "one"), (teammate, "two"), (owner, "three"))]
    begin(asked[0])
    queue = call(client, "GET", QUEUE).json()["results"]
    assert [each["stream"] for each in queue] == [str(started.stream) for started in asked]
    assert [each["reply"] for each in queue] == [str(started.reply) for started in asked]
    assert [(each["position"], each["status"]) for each in queue] == [(0, "running"), (1, "queued"), (2, "queued")]
    prompts = [(each["prompt"]["user"]["name"], each["prompt"]["content"]) for each in queue]
    assert prompts == [("Olga", "one"), ("Tariq", "two"), ("Olga", "three")]


def test_the_queue_costs_the_same_however_long_it_is(client: Client, live_session: LiveSession, owner: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert call(client, "GET", QUEUE).status_code == 200
        return len(captured)

    ask(owner, "one")
    one = count()
    for number in range(15):
        ask(owner, str(number))
    assert count() == one


def test_what_waits_can_be_taken_back_and_no_model_is_told_of_it(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    first, second, third = ask(owner, "one"), ask(teammate, "two"), ask(owner, "three")
    begin(first)
    OutboxRow.objects.all().delete()
    assert call(client, "DELETE", f"{QUEUE}/{second.stream}").status_code == 204
    queue = call(client, "GET", QUEUE).json()["results"]
    assert [(each["stream"], each["position"]) for each in queue] == [(str(first.stream), 0), (str(third.stream), 1)]
    assert told(live_session) == ["one", "three"]
    prompt = Message.objects.get(pk=second.message)
    assert (prompt.content, prompt.status) == ("two", "stopped")  # still there to be read
    # Everybody who watches is told: of the stream's end, and of the prompt as it is now.
    announced = {row.type: row.body for row in OutboxRow.objects.all()}
    assert set(announced) == {"complete", "message"}
    assert announced["complete"]["finish_reason"] == "stopped"
    assert (announced["message"]["message"]["id"], announced["message"]["message"]["status"]) == (
        str(second.message), "stopped",
    )  # fmt: skip


def test_stopping_what_waits_takes_it_back_as_well(live_session: LiveSession, owner: User) -> None:
    begin(ask(owner, "one"))
    waiting = ask(owner, "two")
    assert stop_stream(owner, waiting.stream) == "stopped"
    assert told(live_session) == ["one"]


def test_stopping_what_has_begun_takes_nothing_back(live_session: LiveSession, owner: User) -> None:
    running = ask(owner, "one")
    begin(running)
    stop_stream(owner, running.stream)
    assert told(live_session) == ["one"]


def test_a_prompt_that_is_interrupted_was_said_all_the_same(live_session: LiveSession, owner: User) -> None:
    ask(owner, "one")
    ask(owner, "two", overlap="interrupt")
    assert told(live_session) == ["one", "two"]


def test_what_has_begun_or_ended_cannot_be_taken_back(client: Client, live_session: LiveSession, owner: User) -> None:
    running, waiting = ask(owner, "one"), ask(owner, "two")
    begin(running)
    assert_is_error(call(client, "DELETE", f"{QUEUE}/{running.stream}"), 409, "conflict")
    assert call(client, "DELETE", f"{QUEUE}/{waiting.stream}").status_code == 204
    assert_is_error(call(client, "DELETE", f"{QUEUE}/{waiting.stream}"), 409, "conflict")
    for nothing in (str(uuid4()), "no-id", str(ask(owner, "alone", session=None).stream)):
        assert_is_error(call(client, "DELETE", f"{QUEUE}/{nothing}"), 404, "not_found")


# One's own streams ------------------------------------------------------------------------------------------------


def test_one_sees_the_streams_that_one_started_where_one_may_be(
    client: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    alone, here = ask(owner, "alone", session=None), ask(owner, "here")
    ask(teammate, "of another")
    ask(teammate, "alone as well", session=None)

    def found(query: str = "") -> set[str]:
        return {stream["id"] for stream in call(client, "GET", f"/v1/streams{query}").json()["results"]}

    assert found() == {str(alone.stream), str(here.stream)}
    assert found("?session=the-plan") == {str(here.stream)}
    assert found("?status=complete") == set()
    assert_is_error(call(client, "GET", "/v1/streams?session=nowhere"), 404, "not_found")
    assert assert_is_error(call(client, "GET", "/v1/streams?user=x"), 400, "bad_request")["field"] == "user"
    live_session.members.filter(user=teammate).update(role="owner")
    live_session.members.filter(user=owner).delete()
    assert found() == {str(alone.stream)}


def test_ones_own_streams_cost_the_same_however_many_there_are(client: Client, owner: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert call(client, "GET", "/v1/streams").status_code == 200
        return len(captured)

    ask(owner, "one", session=None)
    one = count()
    for number in range(9):
        ask(owner, str(number), session=None)
    assert count() == one


# Presence and the draft -------------------------------------------------------------------------------------------


def with_redis(redis_url: str, work: Callable[[Redis], Any]) -> None:
    async def run() -> None:
        async with Redis.from_url(redis_url) as client:
            await work(client)

    async_to_sync(run)()


def test_it_says_who_is_there_and_nobody_of_a_process_that_died(
    client: Client, live_session: LiveSession, owner: User, viewer: User, redis_url: str
) -> None:
    path = "/v1/sessions/the-plan/presence"
    assert call(client, "GET", path).json() == {"users": [], "total": 0, "summarised": False}

    async def come(redis: Redis) -> None:
        alive, dead = (Leases(redis, name, lambda log: (log, log)) for name in ("alive", "dead"))
        await alive.renew(1)
        puts = {
            "alive.1": Connection(user_wire(owner), typing=True, cursor={"x": 1}, moved=2),
            "alive.2": Connection(user_wire(owner), idle=True),
        }
        await alive.say(live_session.log, puts, [])
        await dead.say(live_session.log, {"dead.1": Connection(user_wire(viewer))}, [])

    with_redis(redis_url, come)
    present = call(client, "GET", path).json()
    assert (present["total"], present["summarised"]) == (1, False)
    (person,) = present["users"]
    assert (person["user"]["name"], person["connections"], person["status"]) == ("Olga", 2, "active")
    assert (person["typing"], person["cursor"]) == (True, {"x": 1})


def test_above_the_size_that_is_listed_it_says_how_many(
    client: Client, live_session: LiveSession, owner: User, viewer: User, redis_url: str, settings: Any
) -> None:
    settings.PRESENCE_MAX_LISTED = 1

    async def come(redis: Redis) -> None:
        leases = Leases(redis, "alive", lambda log: (log, log))
        await leases.renew(2)
        puts = {f"alive.{user.pk}": Connection(user_wire(user)) for user in (owner, viewer)}
        await leases.say(live_session.log, puts, [])

    with_redis(redis_url, come)
    present = call(client, "GET", "/v1/sessions/the-plan/presence").json()
    assert present == {"users": [], "total": 2, "summarised": True}


def test_it_shows_the_drafts_text_and_changes_nothing(
    client: Client, live_session: LiveSession, redis_url: str
) -> None:
    path = "/v1/sessions/the-plan/draft"
    assert call(client, "GET", path).json() == {"generation": 1, "text": ""}
    doc: Doc[Text] = Doc()
    doc.get("text", type=Text).insert(0, "What now? 😀")

    async def write(redis: Redis) -> None:
        store = DraftStore(redis)
        opened = (await store.read(live_session.log, Place(), 1)).place
        assert await store.append(live_session.log, opened, doc.get_update())

    with_redis(redis_url, write)
    assert call(client, "GET", path).json() == {"generation": 1, "text": "What now? 😀"}
    assert call(client, "GET", path).json() == {"generation": 1, "text": "What now? 😀"}


def test_a_draft_that_was_posted_is_over_even_where_redis_does_not_know(
    client: Client, live_session: LiveSession, owner: User, redis_url: str
) -> None:
    start_stream(owner, StreamRequest(content="x"), session_ref="the-plan", content="x", key="draft:4")
    assert call(client, "GET", "/v1/sessions/the-plan/draft").json() == {"generation": 5, "text": ""}
