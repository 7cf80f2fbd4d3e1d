"""Who is here, over real sockets: members and nobody else, no ghosts, and no blinking while the server restarts."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from hanzo_live.protocol.validation import validate_event
from hanzolive.folder import redis_url
from presence.leases import LEASE_S, RENEW_S
from tests.cli.processes import serving
from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room, make_room
from tests.integration.stack import WEB, Person, Stack, eventually

pytestmark = pytest.mark.timeout(150)

CURSOR = {"area": "draft", "pos": 4, "head": 9}


def present(watched: Watched) -> dict[str, dict[str, Any]]:
    """The people whom this client knows to be here, by name; each frame is held to the contract."""
    people: dict[str, dict[str, Any]] = {}
    for frame in watched.frames:
        if frame["type"] == "presence":
            validate_event(frame)
            if frame.get("users") is not None:
                people.clear()
            for person in frame.get("users") or frame.get("changes") or []:
                if person["left"]:
                    people.pop(person["user"]["name"])
                else:
                    people[person["user"]["name"]] = person
    return people


def ever_left(watched: Watched, name: str) -> bool:
    return any(
        change["left"] and change["user"]["name"] == name
        for frame in watched.frames
        if frame["type"] == "presence"
        for change in frame.get("changes", [])
    )


async def sees(client: Live, watched: Watched, *names: str, seconds: float = 30) -> None:
    await client.until(lambda: set(present(watched)) == set(names), f"{names} to be here", seconds)


async def test_members_see_who_is_here_and_what_they_do(each_server: Stack) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        await sees(olga, of_olga, "Olga")
        async with live(each_server, room.vera) as vera:
            of_vera = await vera.watch(room.log)
            await sees(vera, of_vera, "Olga", "Vera")
            await sees(olga, of_olga, "Olga", "Vera")
            types = [frame["type"] for frame in of_vera.frames]
            assert types.index("snapshot") < types.index("presence"), "the list comes after the snapshot"
            await vera.ask("presence.set", session=room.session, typing=True, cursor=CURSOR)
            await olga.until(lambda: present(of_olga)["Vera"]["typing"])
            assert present(of_olga)["Vera"]["cursor"] == CURSOR
            await vera.ask("presence.set", session=room.session, status="idle", typing=False, cursor=None)
            await olga.until(lambda: present(of_olga)["Vera"]["status"] == "idle")
            assert present(of_olga)["Vera"]["cursor"] is None
        await sees(olga, of_olga, "Olga")


async def test_several_tabs_are_one_person_who_goes_with_the_last(room: Room) -> None:
    async with live(room.stack, room.olga) as olga, AsyncExitStack() as tabs:
        of_olga = await olga.watch(room.log)
        one = await tabs.enter_async_context(live(room.stack, room.tariq))
        two = await tabs.enter_async_context(live(room.stack, room.tariq))
        await one.watch(room.log)
        await two.watch(room.log)
        await olga.until(lambda: present(of_olga).get("Tariq", {}).get("connections") == 2)
        await one.connection.close()
        await olga.until(lambda: present(of_olga)["Tariq"]["connections"] == 1)
        await two.ask("unsubscribe", log=room.log)
        await sees(olga, of_olga, "Olga")


async def test_subscribing_again_gives_the_list_again(room: Room) -> None:
    async with live(room.stack, room.olga) as olga:
        watched = await olga.watch(room.log)
        await sees(olga, watched, "Olga")
        watched.frames.clear()
        await olga.watch(room.log, resume=True)
        await olga.until(lambda: any(frame.get("users") for frame in watched.frames), "a list")
        assert present(watched)["Olga"]["connections"] == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"status": "away"},
        {"typing": "yes"},
        {"cursor": {"area": "x" * 1_001}},
        {"cursor": [[[[[1]]]]]},
        {"session": 7},
    ],
    ids=["a status", "typing", "a large cursor", "a deep cursor", "a session"],
)
async def test_what_is_forged_is_refused_and_shown_to_nobody(room: Room, forged: dict[str, Any]) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        of_olga = await olga.watch(room.log)
        await tariq.watch(room.log)
        with pytest.raises(Refused) as refused:
            await tariq.ask("presence.set", **{"session": room.session, **forged})
        assert refused.value.code == "bad_request"
        await tariq.ask("presence.set", session=room.session, cursor=CURSOR)
        await olga.until(lambda: present(of_olga).get("Tariq", {}).get("cursor") == CURSOR)
        shown = [each for frame in of_olga.frames for each in frame.get("changes", []) if each["cursor"]]
        assert all(each["cursor"] == CURSOR for each in shown)


async def test_only_members_who_watch_have_a_presence(room: Room) -> None:
    async with live(room.stack, room.otto) as otto, live(room.stack, room.tariq) as tariq, live(room.stack) as nobody:
        for client, code in ((otto, "not_found"), (tariq, "bad_request"), (nobody, "unauthenticated")):
            with pytest.raises(Refused) as refused:
                await client.ask("presence.set", session=room.session, typing=True)
            assert refused.value.code == code


async def test_a_removed_member_vanishes_at_once_and_hears_no_more(room: Room) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as tariq:
        of_olga, of_tariq = await olga.watch(room.log), await tariq.watch(room.log)
        await sees(olga, of_olga, "Olga", "Tariq")
        with room.stack.rest(room.olga) as rest:
            assert rest.delete(f"/v1/sessions/{room.session}/members/{room.tariq.id}").status_code == 204
        await sees(olga, of_olga, "Olga")
        await tariq.until(lambda: of_tariq.frames[-1]["type"] == "unsubscribed")
        await olga.ask("presence.set", session=room.session, cursor=CURSOR)
        await olga.until(lambda: present(of_olga)["Olga"]["cursor"] == CURSOR)
        assert of_tariq.frames[-1]["type"] == "unsubscribed"


async def test_a_connection_that_is_cut_and_made_again_does_not_blink(room: Room) -> None:
    async with live(room.stack, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        logs: dict[str, Watched] = {}
        async with live(room.stack, room.tariq, logs=logs) as tariq:
            await tariq.watch(room.log)
            await sees(olga, of_olga, "Olga", "Tariq")
            tariq.connection.transport.abort()
            await tariq.closed()
        async with live(room.stack, room.tariq, logs=logs) as again:
            await again.watch(room.log, resume=True)
            await again.ask("presence.set", session=room.session, cursor=CURSOR)
            await olga.until(lambda: present(of_olga)["Tariq"]["cursor"] == CURSOR)
            assert present(of_olga)["Tariq"]["connections"] == 1
        assert not ever_left(of_olga, "Tariq")


@pytest.fixture
def beside(room: Room, node_url: str, tmp_path: Path) -> Iterator[Stack]:
    """A second server on the first one's database and Redis: people of both are in the same sessions."""
    data = room.stack.serve.data
    with serving(
        tmp_path / "data", tmp_path / "output", "--node-url", node_url, "--workers", "0",
        REDIS_URL=redis_url(data), DATABASE_URL=f"sqlite:///{data}/db.sqlite3",
    ) as serve:  # fmt: skip
        yield Stack(serve, room.stack.node, room.stack.people)


async def watching_from(server: Stack, room: Room, person: Person) -> tuple[Live, Watched]:
    """A socket that outlives its server: what is left of it is closed by the loop's end."""
    connection = await connect(server.socket_url, proxy=None, compression=None)
    client = Live(connection, {})
    await client.ask("hello", token=person.token)
    return client, await client.watch(room.log)


async def test_a_killed_web_process_leaves_no_ghost(room: Room, beside: Stack) -> None:
    async with live(room.stack, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        tariq, _ = await watching_from(beside, room, room.tariq)
        vera, _ = await watching_from(beside, room, room.vera)
        await sees(olga, of_olga, "Olga", "Tariq", "Vera")
        beside.kill(WEB)
        await asyncio.gather(tariq.closed(), vera.closed())
        # Vera comes back, elsewhere; Tariq does not.
        async with live(room.stack, room.vera) as again:
            of_vera = await again.watch(room.log)
            await sees(olga, of_olga, "Olga", "Vera", seconds=15)
            await sees(again, of_vera, "Olga", "Vera")
        assert not ever_left(of_olga, "Vera") or set(present(of_olga)) == {"Olga"}
    assert LEASE_S + RENEW_S < 15


async def test_a_rolling_restart_does_not_blink(room: Room, beside: Stack) -> None:
    async with live(room.stack, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        tariq, _ = await watching_from(beside, room, room.tariq)
        await sees(olga, of_olga, "Olga", "Tariq")
        pid = beside.serve.child(WEB)
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        await tariq.closed()
        async with live(room.stack, room.tariq) as again:
            await again.watch(room.log)

            async def has_one() -> bool:
                return present(of_olga)["Tariq"]["connections"] == 1

            await eventually(has_one, "the old socket no longer counts")
            assert not ever_left(of_olga, "Tariq")
