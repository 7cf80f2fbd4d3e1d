"""Who is here, over real sockets: members and nobody else, no ghosts, and no blinking while the server restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from websockets.asyncio.client import connect

from hanzo_live.protocol.validation import validate_event
from presence.attendance import GRACE_S
from tests.integration.client import Live, Refused, Watched, live
from tests.integration.conftest import Room, another, make_room
from tests.integration.stack import WEB, Person, Stack, eventually

pytestmark = pytest.mark.timeout(150)

CURSOR = {"area": "draft", "pos": 4, "head": 9}
# What is promised: no ghost after this time, however a process ended.
GONE_WITHIN_S = 15
MOST_FRAMES_A_SECOND = 20


def told_of(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """The people in a presence frame; none in any other."""
    return frame.get("users") or frame.get("changes") or []


def present(watched: Watched) -> dict[str, dict[str, Any]]:
    """The people whom this client knows to be here, by name; each frame is held to the contract."""
    people: dict[str, dict[str, Any]] = {}
    for frame in watched.frames:
        if frame["type"] == "presence":
            validate_event(frame)
            if frame.get("users") is not None:
                people.clear()
            for person in told_of(frame):
                if person["left"]:
                    people.pop(person["user"]["name"])
                else:
                    people[person["user"]["name"]] = person
    return people


async def counts(client: Live, watched: Watched, people: int) -> None:
    """Wait until this client is told a number instead of a list."""

    def summary() -> int | None:
        told = [frame for frame in watched.frames if frame["type"] == "presence"]
        return told[-1]["total"] if told and told[-1].get("summarised") and not present(watched) else None

    await client.until(lambda: summary() == people, f"the number {people}")


async def sees_at(client: Live, watched: Watched, cursor: Any, *names: str) -> None:
    await client.until(
        lambda: [present(watched).get(name, {}).get("cursor") for name in names] == [cursor] * len(names),
        f"{names} at {cursor}",
    )


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


async def test_people_are_shown_with_their_pictures(room: Room) -> None:
    picture = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(picture, "PNG")
    with room.stack.rest(room.vera) as rest:
        me = rest.patch("/v1/me", files={"avatar": ("me.png", picture.getvalue(), "image/png")}).json()
        async with live(room.stack, room.olga) as olga, live(room.stack, room.vera) as vera:
            of_olga = await olga.watch(room.log)
            await vera.watch(room.log)
            await sees(olga, of_olga, "Olga", "Vera")
        rest.patch("/v1/me", json={"avatar": None})
    assert me["avatar"]
    shown = {person["user"]["name"]: person["user"]["avatar"] for frame in of_olga.frames for person in told_of(frame)}
    assert shown == {"Olga": None, "Vera": me["avatar"]}


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


@pytest.mark.parametrize("code", [None, 1000, 1001])
async def test_a_client_that_closes_is_gone_before_a_cut_one_would_be(each_server: Stack, code: int | None) -> None:
    room = make_room(each_server)
    async with live(each_server, room.olga) as olga, live(each_server, room.tariq) as tariq:
        of_olga = await olga.watch(room.log)
        await tariq.watch(room.log)
        await sees(olga, of_olga, "Olga", "Tariq")
        tariq.connection.protocol.send_close(code)
        tariq.connection.send_data()
        await sees(olga, of_olga, "Olga", seconds=GRACE_S - 1)


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
def beside(room: Room, tmp_path: Path) -> Iterator[Stack]:
    """A second server, to be taken down."""
    with another(room.stack, tmp_path) as made:
        yield made


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
        await tariq.ask("presence.set", session=room.session, cursor=CURSOR, typing=True)
        await sees(olga, of_olga, "Olga", "Tariq", "Vera")
        beside.kill(WEB)
        await asyncio.gather(tariq.closed(), vera.closed())
        # Vera comes back, elsewhere; Tariq does not.
        async with live(room.stack, room.vera) as again:
            of_vera = await again.watch(room.log)
            await sees(olga, of_olga, "Olga", "Vera", seconds=GONE_WITHIN_S)
            await sees(again, of_vera, "Olga", "Vera")
            assert present(of_olga)["Vera"]["connections"] == 1, "the dead socket counts no longer"
            assert not ever_left(of_olga, "Vera")
        await sees(olga, of_olga, "Olga")
        with room.stack.redis() as client:

            async def swept() -> bool:
                return len(client.hkeys(f"live:{{{room.log}}}:presence")) == 2

            await eventually(swept, "Olga and the number alone are left")


async def test_a_rolling_restart_does_not_blink(room: Room, beside: Stack) -> None:
    """The one web process drains; who comes back on the other was never away, who does not is gone."""
    async with live(room.stack, room.olga) as olga:
        of_olga = await olga.watch(room.log)
        tariq, of_tariq = await watching_from(beside, room, room.tariq)
        vera, _ = await watching_from(beside, room, room.vera)
        await sees(olga, of_olga, "Olga", "Tariq", "Vera")
        pid = beside.serve.child(WEB)
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        await asyncio.gather(tariq.closed(), vera.closed())
        assert tariq.goaway is not None
        async with live(room.stack, room.tariq, logs={room.log: of_tariq}) as again:
            await again.watch(room.log, resume=True)
            await sees(olga, of_olga, "Olga", "Tariq", seconds=GONE_WITHIN_S)
            await olga.until(lambda: present(of_olga)["Tariq"]["connections"] == 1, "one connection of Tariq")
            assert not ever_left(of_olga, "Tariq")
            assert not ever_left(of_tariq, "Olga")


async def test_one_person_at_both_servers_is_one_person(room: Room, other: Stack) -> None:
    async with live(room.stack, room.olga) as olga, live(room.stack, room.tariq) as here:
        of_olga = await olga.watch(room.log)
        await here.watch(room.log)
        async with live(other, room.tariq) as there:
            await there.watch(room.log)
            await olga.until(lambda: present(of_olga).get("Tariq", {}).get("connections") == 2)
            await there.ask("presence.set", session=room.session, status="idle")
            await here.ask("presence.set", session=room.session, typing=True)
            await olga.until(lambda: present(of_olga)["Tariq"]["typing"])
            assert present(of_olga)["Tariq"]["status"] == "active", "idle is who is idle everywhere"
            await here.ask("presence.set", session=room.session, status="idle", typing=False)
            await olga.until(lambda: present(of_olga)["Tariq"]["status"] == "idle")
        await olga.until(lambda: present(of_olga)["Tariq"]["connections"] == 1)
        assert not ever_left(of_olga, "Tariq")


async def test_cursors_from_two_servers_are_merged_and_the_last_is_not_lost(room: Room, other: Stack) -> None:
    """As fast as the server takes moves, not more than 20 frames a second come of them."""
    moves = 80
    async with (
        live(room.stack, room.olga) as olga,
        live(room.stack, room.tariq) as here,
        live(other, room.vera) as there,
    ):
        watched = {client: await client.watch(room.log) for client in (olga, here, there)}
        for client, log in watched.items():
            await sees(client, log, "Olga", "Tariq", "Vera")
        began = time.monotonic()
        told = {client: len(log.frames) for client, log in watched.items()}
        for x in range(moves):
            await asyncio.gather(
                *(mover.ask("presence.set", session=room.session, cursor={"x": x}) for mover in (here, there))
            )
        for client, log in watched.items():
            await sees_at(client, log, {"x": moves - 1}, "Tariq", "Vera")
        seconds = time.monotonic() - began
        for client, log in watched.items():
            frames = [frame for frame in log.frames[told[client] :] if frame["type"] == "presence"]
            assert len(frames) <= MOST_FRAMES_A_SECOND * (seconds + 1)
        await there.connection.close()
        await sees(olga, watched[olga], "Olga", "Tariq")
        last = next(
            change for frame in reversed(watched[olga].frames) for change in frame.get("changes", ()) if change["left"]
        )
        assert (last["user"]["name"], last["cursor"]) == ("Vera", None)


async def test_above_the_listed_number_people_are_counted_and_cursors_stop(start: Callable[..., Stack]) -> None:
    stack = start("--workers", "0", people=("Olga", "Tariq", "Vera"), WORKERS="0", PRESENCE_MAX_LISTED="2")
    room = make_room(stack)
    async with live(stack, room.olga) as olga, live(stack, room.tariq) as tariq:
        of_olga = await olga.watch(room.log)
        await tariq.watch(room.log)
        await sees(olga, of_olga, "Olga", "Tariq")
        async with live(stack, room.vera) as vera:
            of_vera = await vera.watch(room.log)
            for client, log in ((olga, of_olga), (vera, of_vera)):
                await counts(client, log, 3)
            told = len(of_olga.frames)
            for x in range(10):
                await tariq.ask("presence.set", session=room.session, cursor={"x": x}, typing=True)
        # Vera's leaving comes behind all that was not told.
        await counts(olga, of_olga, 2)
        assert all("changes" not in frame for frame in of_olga.frames[told:]), "nobody's cursor was told"
        await tariq.connection.close()
        await sees(olga, of_olga, "Olga")
