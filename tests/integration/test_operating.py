"""What an operator does in the admin panel takes effect on open sockets at once, on a real server."""

from __future__ import annotations

import asyncio
import io
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.cli.processes import hanzo_live
from tests.integration.client import live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import PASSWORD, Person, Stack

pytestmark = pytest.mark.timeout(150)

ENDLESS = "script-slow@rate=50,tokens=100000"


@pytest.fixture(scope="module")
def ada(stack: Stack) -> Person:
    """An admin, made by the command."""
    email = "ada@example.com"
    made = hanzo_live(
        "user", "create", "Ada", "--email", email, "--password", PASSWORD, "--admin", "--data-dir", str(stack.serve.data)
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return Person("Ada", email, "", "")


@pytest.fixture
def panel(stack: Stack, ada: Person) -> Iterator[httpx.Client]:
    """Ada's browser."""
    with closing(stack.sign_in(ada)) as browser:
        yield browser


async def do(panel: httpx.Client, model: str, pk: object, action: str, **data: str) -> None:
    form = {"confirmed": "yes", "csrfmiddlewaretoken": panel.cookies["csrftoken"], **data}
    answer = await asyncio.to_thread(panel.post, f"/admin/{model}/{pk}/{action}/", data=form)
    assert answer.status_code == 302, answer.text


def member_key(room: Room, person: Person) -> Any:
    rows = room.stack.rows(
        "SELECT id FROM live_sessions_member WHERE session_id = ? AND user_id = ?",
        room.session.replace("-", ""), person.id.replace("-", ""),
    )  # fmt: skip
    return rows[0]["id"]


def audited(stack: Stack, action: str) -> list[dict[str, Any]]:
    return stack.rows("SELECT actor_label, target FROM live_sessions_auditentry WHERE action = ?", action)


async def test_a_stopped_stream_ends_for_whoever_watches(room: Room, panel: httpx.Client, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, ENDLESS)
        await olga.has_words(watched, stream, 3)
        await do(panel, "streaming/stream", stream, "stop")
        await olga.end_of(watched, stream)
    end = watched.of_type("complete")[-1]
    assert (end["finish_reason"], end["stopped_by"]["name"]) == ("stopped", "Ada")
    assert (await room.stack.node.ended(prompt))["state"] == "cancelled"
    assert audited(room.stack, "stream.stop")[-1] == {"actor_label": "ada@example.com", "target": stream}


async def test_a_removed_member_hears_of_it_and_then_nothing_more(room: Room, panel: httpx.Client) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        of_olga, of_vera = await olga.watch(room.log), await vera.watch(room.log)
        await do(panel, "live_sessions/member", member_key(room, room.vera), "remove")
        await vera.until(lambda: of_vera.frames and of_vera.frames[-1]["type"] == "unsubscribed", "the end")
        await olga.until(lambda: of_olga.of_type("member"), "the removal")
    assert of_vera.frames[-1]["reason"] == "removed"
    assert of_olga.of_type("member")[-1]["action"] == "removed"


async def test_a_changed_role_is_heard_at_once(room: Room, panel: httpx.Client) -> None:
    async with live(room.stack, room.vera) as vera:
        watched = await vera.watch(room.log)
        await do(panel, "live_sessions/member", member_key(room, room.vera), "role", role="editor")
        await vera.until(lambda: watched.of_type("member"), "the change of role")
        await vera.ask("message.send", session=room.session, content="Now I may", reply=False)
    assert watched.of_type("member")[-1]["role"] == "editor"


async def test_an_ended_session_stops_and_is_archived_for_all(room: Room, panel: httpx.Client, prompt: str) -> None:
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        stream = await olga.prompt(room.session, prompt, ENDLESS)
        await olga.has_words(watched, stream, 3)
        await do(panel, "live_sessions/livesession", room.session, "end")
        await olga.until(lambda: watched.frames[-1]["type"] == "unsubscribed", "the end of the subscription")
    assert watched.frames[-1]["reason"] == "archived"
    assert (await room.stack.node.ended(prompt))["state"] == "cancelled"


async def test_a_user_who_is_switched_off_is_cut_off(stack: Stack, panel: httpx.Client) -> None:
    name = f"Uma{secrets.token_hex(4)}"
    made = hanzo_live("user", "create", name, "--token", "--data-dir", str(stack.serve.data))
    token = made.stdout.splitlines()[-1]
    with stack.rest(Authorization=f"Bearer {token}") as rest:
        me = rest.get("/v1/me").json()
    uma = Person(name, me["email"], token, me["id"])
    async with live(stack, uma) as socket:
        await do(panel, "live_sessions/user", uma.id, "deactivate")
        assert await socket.closed() == 4401
    with stack.rest(uma) as rest:
        assert rest.get("/v1/me").status_code == 401


async def test_transcripts_are_sent_while_they_are_read(room: Room, panel: httpx.Client) -> None:
    other = make_room(room.stack, title="Other")
    async with live(room.stack, room.olga) as olga:
        for session in (room.session, other.session):
            for number in range(3):
                await olga.ask("message.send", session=session, content=f"message {number}", reply=False)
    token = panel.cookies["csrftoken"]
    form = {"confirmed": "yes", "format": "markdown", "csrfmiddlewaretoken": token}
    listed = "/admin/live_sessions/livesession/"
    one = await asyncio.to_thread(panel.post, f"{listed}{room.session}/export/", data=form)
    assert one.text.count("message ") == 3
    chosen = {"action": "export", "_selected_action": [room.session, other.session]}
    several = await asyncio.to_thread(panel.post, listed, data={**form, **chosen})
    with zipfile.ZipFile(io.BytesIO(several.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"{session}.md" for session in (room.session, other.session))
