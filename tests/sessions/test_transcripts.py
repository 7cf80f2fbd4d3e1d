"""A session's transcript over REST: its forms, what it keeps, and that nothing in it runs."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from sessions.models import LiveSession, Message, MessageStatus, User
from sessions.services import create_session, finish_reply, post_message, update_session
from sessions.transcript import FORMS, ROWS_AT_ONCE
from tests.rest import assert_is_error, call

# The transcript is read in threads of its own: what a test's transaction holds back could not be seen there.
pytestmark = pytest.mark.django_db(transaction=True)

EVIL = "<script>alert(1)</script>"
PARTS: list[dict[str, Any]] = [
    {"type": "reasoning", "text": f"First ``` {EVIL}"},
    {"type": "toolCall", "id": "c1", "name": "look\n# up", "args": {"city": EVIL}},
    {"type": "toolResult", "id": "c1", "name": "look up", "status": "complete", "result": "rain", "error": None},
]


@pytest.fixture
def talk(owner: User) -> LiveSession:
    session = create_session(owner, title=f"{EVIL}\n# not a heading", slug="plan")
    reply = post_message(session.pk, owner, f"{EVIL} & **bold**", reply_stream=uuid4()).reply
    assert reply is not None
    finish_reply(reply.pk, content="An answer.", parts=PARTS, status=MessageStatus.COMPLETE, finish_reason="stop")
    return session


def fetch(user: User, query: str = "") -> tuple[Any, str]:
    """The answer and its body, sent asynchronously and in pieces, as the server does."""
    client = AsyncClient()
    client.force_login(user)

    async def get() -> tuple[Any, str]:
        response = await client.get(f"/v1/sessions/plan/transcript{query}")
        assert isinstance(response, StreamingHttpResponse), response.content
        return response, b"".join([piece async for piece in response]).decode()

    return async_to_sync(get)()


def test_as_json_it_has_everything(owner: User, talk: LiveSession) -> None:
    response, body = fetch(owner)
    assert response["Content-Type"] == "application/json"
    document = json.loads(body)
    assert [message["content"] for message in document["messages"]] == [f"{EVIL} & **bold**", "An answer."]
    assert document["messages"][1]["parts"] == PARTS
    assert document["session"]["id"] == str(talk.pk)
    assert [member["role"] for member in document["members"]] == ["owner"]


def test_as_markdown_it_has_the_words(owner: User, talk: LiveSession) -> None:
    response, body = fetch(owner, "?format=markdown")
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    assert body == f"# {EVIL} # not a heading\n\n## Olga\n\n{EVIL} & **bold**\n\n## Assistant\n\nAn answer.\n"


def test_thoughts_and_tools_are_kept_where_they_are_asked_for(owner: User, talk: LiveSession) -> None:
    _, thoughts = fetch(owner, "?format=markdown&thoughts=true")
    assert f"**Thought**\n\n````\nFirst ``` {EVIL}\n````\n" in thoughts  # nothing in it ends the block
    assert "Tool" not in thoughts
    _, tools = fetch(owner, "?format=markdown&tools=true")
    assert "**Tool call: look # up**" in tools
    assert "**Tool result: look up**\n\n```\nrain\n```\n" in tools
    assert "Thought" not in tools
    _, neither = fetch(owner, "?thoughts=false&tools=false")
    assert json.loads(neither)["messages"][1]["parts"] == []
    _, page = fetch(owner, "?format=html&thoughts=true&tools=true")
    assert page.count("<details>") == 3


@pytest.mark.parametrize("query", ["?format=html", "?format=html&thoughts=true&tools=true"])
def test_nothing_on_the_page_runs(owner: User, talk: LiveSession, query: str) -> None:
    response, page = fetch(owner, query)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; **bold**" in page
    assert response["Content-Security-Policy"].startswith("default-src 'none';")
    assert response["Content-Security-Policy"].endswith("sandbox")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_it_is_named_when_it_is_to_be_kept(owner: User, talk: LiveSession) -> None:
    assert "Content-Disposition" not in fetch(owner)[0]
    for form, name in (("json", "plan.json"), ("markdown", "plan.md"), ("html", "plan.html")):
        response, _ = fetch(owner, f"?format={form}&download=true")
        assert response["Content-Disposition"] == f'attachment; filename="{name}"'


def test_what_was_archived_can_be_read(owner: User, talk: LiveSession) -> None:
    update_session(talk, owner, archived=True)
    assert json.loads(fetch(owner)[1])["session"]["archived"] is True


def test_a_long_one_is_read_and_sent_in_pieces(owner: User, talk: LiveSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessions.transcript.ROWS_AT_ONCE", 10)
    monkeypatch.setattr("sessions.sending.SEND_AT", 1_000)
    Message.objects.bulk_create(
        Message(session=talk, n=n, role="user", content=f"message {n}", user=owner) for n in range(3, 58)
    )
    client = AsyncClient()
    client.force_login(owner)

    async def get() -> list[bytes]:
        response = await client.get("/v1/sessions/plan/transcript")
        return [piece async for piece in response]

    pieces = async_to_sync(get)()
    assert len(pieces) > 10
    assert [message["n"] for message in json.loads(b"".join(pieces))["messages"]] == list(range(1, 58))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=pdf", "format"),
        ("thoughts=maybe", "thoughts"),
        ("tool=true", "tool"),
        ("format=json&format=html", "format"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(owner: User, talk: LiveSession, query: str, field: str) -> None:
    client = Client()
    client.force_login(owner)
    error = assert_is_error(call(client, "GET", f"/v1/sessions/plan/transcript?{query}"), 400, "bad_request")
    assert error["field"] == field


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_five_thousand_messages_are_all_in_it(owner: User, talk: LiveSession, form: str) -> None:
    Message.objects.bulk_create(
        Message(session=talk, n=n, role="user", content=f"message {n}.", user=owner) for n in range(3, 5001)
    )
    with CaptureQueriesContext(connection) as captured:
        pieces = list(FORMS[form].pieces(talk))
    queries = [query for query in captured if "live_sessions_message" in query["sql"]]
    _, body = fetch(owner, f"?format={form}")
    assert body == "".join(pieces)
    if form == "json":
        assert [message["n"] for message in json.loads(body)["messages"]] == list(range(1, 5001))
    assert [f"message {n}." in body for n in range(3, 5001)] == [True] * 4998
    reads = 5000 // ROWS_AT_ONCE + 1  # the last finds nothing more
    assert len(queries) == reads
