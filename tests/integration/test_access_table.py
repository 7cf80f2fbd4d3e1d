"""What needs a running server of the access table: every command of sockets, and the addresses that stream."""

from __future__ import annotations

import base64
import sqlite3
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from pycrdt import Doc, Text, write_message

from hanzo_live.protocol import COMMANDS
from tests.access.table import CAST, Line, line_for, read
from tests.cli.processes import hanzo_live
from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.stack import Person, Stack, person_of, signed_up

pytestmark = pytest.mark.timeout(150)

SOCKETS, ADDRESSES = read("sockets.txt"), read("live.txt")

HOW_TO_ADD = """{command} has no line in the access table. Think of what each of the cast should be answered (`ok`, or the
code of the refusal), and add one to tests/access/sockets.txt:

{line}
"""


@dataclass(frozen=True)
class Stage:
    stack: Stack
    people: dict[str, Person | None]
    things: dict[str, str]

    async def ask(self, who: str, line: Line, things: dict[str, str]) -> dict[str, Any]:
        """What `who` is replied on a socket of their own, without the id."""
        person = self.people[who]
        command = {"type": line.what, **line.fields(things)}
        async with live(self.stack, hello=False) as socket:
            if line.what == "hello" or who != "gone":
                welcome = await socket.send({"id": 0, "type": "hello", "token": person.token if person else None})
                if line.what == "hello":
                    return welcome
                await socket.send({"id": 1, "type": "subscribe", "log": f"session:{self.things['ref']}"})
            return {**await socket.send({"id": 2, **command}), "id": None}


@pytest.fixture(scope="module")
def stage(stack: Stack) -> Stage:
    room = make_room(stack)
    result = hanzo_live("user", "create", "Ada", "--admin", "--token", "--data-dir", str(stack.serve.data))
    assert result.returncode == 0, result.stderr
    admin, gone = person_of(stack, "Ada", result.stdout.splitlines()[-1]), signed_up(stack, "Gino")
    with stack.rest(room.olga) as rest, stack.rest() as nobody:
        token = rest.post("/v1/tokens", json={"name": "reader", "scope": "read"}).json()["token"]
        rest.post(f"/v1/sessions/{room.session}/members", json={"user": gone.id, "role": "editor"})
        asked = {"content": "Hello", "model": "script-fast"}
        stream = rest.post(f"/v1/sessions/{room.session}/messages", json=asked).json()["stream"]
        own = rest.post("/v1/streams", json=asked).json()["stream"]
        nobodys = nobody.post("/v1/streams", json=asked).json()["stream"]
    _deactivate(stack, gone)
    doc: Doc[Text] = Doc()
    doc.get("text", type=Text).insert(0, "A draft")
    things = {
        "ref": room.session,
        "stream": stream,
        "own": own,
        "nobodys": nobodys,
        "state": base64.b64encode(b"\0" + write_message(Doc().get_state())).decode(),
        "edit": base64.b64encode(doc.get_update()).decode(),
    }
    people: dict[str, Person | None] = {
        "owner": room.olga,
        "editor": room.tariq,
        "viewer": room.vera,
        "outsider": room.otto,
        "admin": admin,
        "reader": replace(room.olga, token=token),
        "nobody": None,
        "gone": gone,
    }
    return Stage(stack, people, things)


def _deactivate(stack: Stack, person: Person) -> None:
    """As the admin panel does."""
    connection = sqlite3.connect(stack.serve.data / "db.sqlite3", timeout=20)
    with connection:
        changed = connection.execute("UPDATE live_sessions_user SET is_active = 0 WHERE email = ?", (person.email,))
        assert changed.rowcount == 1
    connection.close()


def test_every_command_is_in_the_table() -> None:
    known = {line.what for line in SOCKETS}
    for command in COMMANDS:
        line = line_for(command, "", dict.fromkeys(CAST, "ok"), "{}")
        assert command in known, HOW_TO_ADD.format(command=command, line=line)
    assert known == set(COMMANDS)


@pytest.mark.parametrize("line", SOCKETS, ids=str)
async def test_everybody_is_replied_as_the_table_says(stage: Stage, line: Line) -> None:
    replies = {}
    for who in CAST:
        reply = await stage.ask(who, line, stage.things)
        replies[who] = str(reply["code"]) if reply["type"] == "error" else "ok"
    assert replies == line.answers


@pytest.mark.parametrize("line", [line for line in SOCKETS if "not_found" in line.answers.values()], ids=str)
async def test_what_one_may_not_see_looks_as_if_it_were_not_there(stage: Stage, line: Line) -> None:
    nothing = {**stage.things, **dict.fromkeys(("ref", "stream", "own"), str(uuid4()))}
    for who in ("outsider", "admin"):
        there = await stage.ask(who, line, stage.things)
        assert there["code"] == "not_found"
        assert await stage.ask(who, line, nothing) == there


@pytest.mark.parametrize("line", ADDRESSES, ids=str)
async def test_everybody_is_answered_as_the_table_says(stage: Stage, line: Line) -> None:
    answers = {}
    for who in CAST:
        async with (
            stage.stack.rest_soon(stage.people[who]) as rest,
            rest.stream(
                line.what,
                line.path(stage.things),
                content=line.body(stage.things),
                headers={"Content-Type": "application/json"},
            ) as response,
        ):
            answers[who] = str(response.status_code)
            if response.status_code == 404:
                body = (await response.aread()).decode()
                path = line.path({**stage.things, **dict.fromkeys(("ref", "stream", "own"), str(uuid4()))})
                nowhere = await rest.request(line.what, path)
                assert (nowhere.status_code, nowhere.text) == (404, body)
    assert answers == line.answers
