"""Reading transcripts in the panel, and taking them along: what is shown, what runs nothing, what is written down."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import reverse

from sessions.admin import exporting
from sessions.admin.transcript import MAX_SHOWN, MESSAGES_AT_ONCE
from sessions.models import AuditEntry, LiveSession, Message, MessageStatus, User
from sessions.services import create_session, finish_reply, post_message
from tests.admin.conftest import page_text

HOSTILE = "<script>alert(1)</script> {{ 7|add:7 }} &lt;b&gt;"
PARTS = [
    {"type": "reasoning", "text": f"thought {HOSTILE}"},
    {"type": "toolCall", "id": "c1", "name": f"search {HOSTILE}", "args": {"q": HOSTILE}},
    {"type": "toolResult", "id": "c1", "name": "search", "status": "complete", "result": HOSTILE, "error": None},
    {"type": "toolResult", "id": "unknown", "name": "x", "status": "failed", "result": None, "error": "x"},
    {"type": "error", "code": "node_error", "message": HOSTILE, "retryable": True},
    {"type": "something new"},
]


def say(session: LiveSession, user: User, count: int = 1) -> None:
    for number in range(count):
        post_message(session.pk, user, f"message {number} {HOSTILE}")


def transcript_of(session: LiveSession) -> str:
    return reverse("admin:live_sessions_livesession_transcript", args=[session.pk])


def reads() -> list[dict[str, Any]]:
    entries = AuditEntry.objects.filter(action="transcript.read").order_by("pk")
    return [entry.details for entry in entries]


# Reading ----------------------------------------------------------------------------------------------------------


def test_a_transcript_shows_what_was_said_and_runs_none_of_it(
    admin: Client, live_session: LiveSession, owner: User
) -> None:
    owner.name = HOSTILE
    owner.save()
    reply = post_message(live_session.pk, owner, HOSTILE, reply_stream=uuid4()).reply
    assert reply is not None
    finish_reply(reply.pk, content=HOSTILE, parts=PARTS, status=MessageStatus.FAILED, finish_reason="")
    page = page_text(admin.get(transcript_of(live_session)))
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:7 }} &amp;lt;b&amp;gt;") >= 8
    assert "<script>alert" not in page
    assert page.count("<details>") == 2
    assert "node_error" in page
    assert reads() == [{"first": 1, "last": 2}]


def test_a_long_transcript_is_read_page_by_page_and_each_look_is_written_down(
    admin: Client, live_session: LiveSession, owner: User
) -> None:
    say(live_session, owner, MESSAGES_AT_ONCE * 2 + 1)
    newest = admin.get(transcript_of(live_session))
    assert len(newest.context["lines"]) == MESSAGES_AT_ONCE
    assert newest.context["newer"] is None
    older = admin.get(transcript_of(live_session), {"cursor": newest.context["older"]})
    oldest = admin.get(transcript_of(live_session), {"cursor": older.context["older"]})
    assert [line.message.n for line in oldest.context["lines"]] == [1]
    assert oldest.context["older"] is None
    newer = admin.get(transcript_of(live_session), {"cursor": oldest.context["newer"]})
    assert [line.message.n for line in newer.context["lines"]][:1] == [2]
    assert [read["first"] for read in reads()] == [52, 2, 1, 2]


def test_a_message_leads_to_its_place_in_the_transcript(admin: Client, live_session: LiveSession, owner: User) -> None:
    say(live_session, owner, 80)
    message = Message.objects.get(n=7)
    page = page_text(admin.get(reverse("admin:live_sessions_message_change", args=[message.pk])))
    address = f"{transcript_of(live_session)}?cursor=a6"
    assert f'href="{address}"' in page
    assert admin.get(address).context["lines"][0].message == message


def test_a_very_long_message_is_cut_and_an_empty_session_says_so(
    admin: Client, live_session: LiveSession, owner: User
) -> None:
    assert "Nothing was said yet" in page_text(admin.get(transcript_of(live_session)))
    post_message(live_session.pk, owner, "y" * (MAX_SHOWN + 1))
    page = page_text(admin.get(transcript_of(live_session)))
    assert page.count("y" * MAX_SHOWN) == 1
    assert "y" * (MAX_SHOWN + 1) not in page
    assert "An export has all of it" in page


def test_only_who_may_reads_transcripts_and_nothing_is_sent_there(
    stan: Callable[..., User], admin: Client, live_session: LiveSession, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(stan("live_sessions.view_livesession", "live_sessions.view_message"))
    assert client.get(transcript_of(live_session)).status_code == 403
    page = page_text(client.get(reverse("admin:live_sessions_livesession_change", args=[live_session.pk])))
    assert "/transcript/" not in page
    assert admin.post(transcript_of(live_session)).status_code == 405
    for wrong in ("x", "a" * 300, "b0x"):
        assert admin.get(transcript_of(live_session), {"cursor": wrong}).status_code == 404
    assert admin.get("/admin/live_sessions/livesession/no-id/transcript/").status_code == 404
    assert reads() == []


# Taking along -----------------------------------------------------------------------------------------------------


def export(user: User, sessions: list[LiveSession], form: str) -> tuple[Any, bytes]:
    """The answer to an export, as the server sends it: asynchronously, in pieces."""
    client = AsyncClient()
    client.force_login(user)
    if len(sessions) == 1:
        address = reverse("admin:live_sessions_livesession_export", args=[sessions[0].pk])
        data: dict[str, Any] = {}
    else:
        address = reverse("admin:live_sessions_livesession_changelist")
        data = {"action": "export", "_selected_action": [str(session.pk) for session in sessions]}

    async def fetch() -> tuple[Any, bytes]:
        response = await client.post(address, {**data, "confirmed": "yes", "format": form})
        assert isinstance(response, StreamingHttpResponse), response.content
        return response, b"".join([piece async for piece in response])

    return async_to_sync(fetch)()


@pytest.fixture
def talk(live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch) -> LiveSession:
    """A session in which was said more than is read or sent at once."""
    monkeypatch.setattr("sessions.transcript.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("sessions.sending.SEND_AT", 100)
    say(live_session, owner, 5)
    return live_session


def test_one_session_is_taken_along_in_each_form(ada: User, talk: LiveSession) -> None:
    response, body = export(ada, [talk], "json")
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="the-plan.json"'
    document = json.loads(body)
    assert document["session"]["title"] == "The plan"
    assert [member["role"] for member in document["members"]] == ["owner", "editor", "viewer"]
    assert [(m["n"], m["content"]) for m in document["messages"]] == [
        (n + 1, f"message {n} {HOSTILE}") for n in range(5)
    ]
    response, body = export(ada, [talk], "markdown")
    assert response["Content-Disposition"].endswith('"the-plan.md"')
    assert body.decode().startswith("# The plan\n")
    assert body.decode().count("## Olga") == 5
    response, body = export(ada, [talk], "html")
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert b"<script" not in body
    assert body.count(b"<article") == 5
    entries = AuditEntry.objects.filter(action="transcript.export").order_by("pk")
    assert [(entry.session, entry.details) for entry in entries] == [
        (talk.pk, {"format": form}) for form in ("json", "markdown", "html")
    ]


def test_several_sessions_are_one_archive(ada: User, talk: LiveSession, owner: User) -> None:
    other = create_session(owner, title="Other")
    say(other, owner, 2)
    empty = create_session(owner, title="Empty")
    response, body = export(ada, [talk, other, empty], "markdown")
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(texts) == {"the-plan.md", f"{other.pk}.md", f"{empty.pk}.md"}
    assert texts["the-plan.md"].count("## Olga") == 5
    assert texts[f"{empty.pk}.md"] == "# Empty\n"
    assert AuditEntry.objects.filter(action="transcript.export").count() == 3


def test_too_much_at_once_and_a_form_that_is_none_are_refused(
    admin: Client, talk: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = reverse("admin:live_sessions_livesession_export", args=[talk.pk])
    assert "Select a valid choice" in page_text(admin.post(address, {"confirmed": "yes", "format": "exe"}))
    monkeypatch.setattr(exporting, "MAX_MESSAGES", 4)
    refused = page_text(admin.post(address, {"confirmed": "yes", "format": "json"}, follow=True))
    assert "Select fewer sessions" in refused
    assert not AuditEntry.objects.filter(action="transcript.export").exists()
