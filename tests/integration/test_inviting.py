"""Inviting and reading over a real socket, with the mail sent by a real worker."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.processes import until
from tests.integration.client import Refused, live
from tests.integration.conftest import Room, make_room
from tests.integration.letters import newest_to, text_of
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def letter_box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def posting(start: Callable[..., Stack], letter_box: Path) -> Stack:
    """A server whose mail becomes files."""
    return start(EMAIL_FOLDER=str(letter_box))


async def test_somebody_who_was_mailed_a_link_joins_before_everybodys_eyes(posting: Stack, letter_box: Path) -> None:
    room = make_room(posting)
    async with live(posting, room.olga) as olga:
        watched = await olga.watch(room.log)
        made = await olga.ask("session.invite", session=room.session, email=room.otto.email, role="viewer")
        letter = until(lambda: newest_to(letter_box, room.otto.email), "the mail")
        assert letter is not None
        found = re.search(r"^http\S+/invitations/\S+$", text_of(letter), re.MULTILINE)
        assert found
        assert found[0] == made["url"]
        assert made["url"].startswith(f"{posting.url}/invitations/")
        with closing(posting.sign_in(room.otto)) as browser:
            page = browser.get(found[0])
            assert "The plan" in page.text
            answer = {"answer": "accept", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            assert browser.post(found[0], data=answer).headers["Location"] == f"/s/{room.session}"
        await olga.until(lambda: watched.of_type("member") and watched.of_type("member")[-1]["action"] == "joined")
        joined = watched.of_type("member")[-1]
        assert (joined["user"]["name"], joined["role"]) == ("Otto", "viewer")
    with posting.rest(room.olga) as rest:
        assert rest.get(f"/v1/sessions/{room.session}/invitations").json()["results"] == []


async def test_a_socket_marks_what_was_read_and_invites_by_right(room: Room) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
        await olga.ask("message.send", session=room.session, content="Hello", reply=False)
        assert unread(room) == 1
        await vera.ask("message.read", session=room.session, n=1)
        assert unread(room) == 0
        link = await olga.ask("session.invite", session=room.session, role="viewer", expires_in=60, max_uses=3)
        assert re.fullmatch(rf"{room.stack.url}/invitations/hzi_\S+", link["url"])
        with pytest.raises(Refused) as refusal:
            await vera.ask("session.invite", session=room.session, role="viewer")
        assert refusal.value.code == "forbidden"
    async with live(room.stack, room.otto) as otto:
        for command, fields in (("message.read", {"n": 1}), ("session.invite", {"role": "viewer"})):
            with pytest.raises(Refused) as refusal:
                await otto.ask(command, session=room.session, **fields)
            assert refusal.value.code == "not_found"


def unread(room: Room) -> int:
    """What is new to Vera."""
    with room.stack.rest(room.vera) as rest:
        return int(rest.get(f"/v1/sessions/{room.session}").json()["unread"])
