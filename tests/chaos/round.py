"""One round: sessions in which people ask, watch, stop, approve and write, while the plan's faults happen."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from tests.chaos.house import House
from tests.chaos.judge import Asked, Evidence, faults_of
from tests.chaos.plan import Ask, Plan
from tests.chaos.viewers import AGAIN_S, AWAY, Editor, EventsViewer, SocketViewer, Viewer
from tests.chaos.wire import Wire, wire_to
from tests.integration.client import Live, Refused
from tests.integration.conftest import Room, make_room
from tests.integration.stack import eventually

SETTLED_WITHIN_S = 90.0
OVER = ("complete", "stopped", "failed")
APPROVABLE = {"name": "delete_file"}


@dataclass
class Cast:
    """Who is in one session, and what became of what they asked."""

    room: Room
    olga: SocketViewer
    tariq: SocketViewer
    watchers: list[Viewer]
    removed: list[Viewer] = field(default_factory=list)
    editors: list[Editor] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def everybody(self) -> list[Viewer]:
        return [self.olga, self.tariq, *self.watchers, *self.editors, *self.removed]


async def carry_out(house: House, plan: Plan) -> tuple[list[str], str]:
    """What was wrong, in words, and a line on how it went."""
    chance = Random(f"{plan.seed}:{plan.number}:people")
    async with AsyncExitStack() as closing:
        wires = [await closing.enter_async_context(wire_to(port, chance)) for port in house.ports]
        casts = [await _cast(house, wires, chance, first=n == 0) for n in range(len(plan.rooms))]
        for cast in casts:
            for viewer in cast.everybody:
                closing.push_async_callback(viewer.leave)
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await _all_in(casts)
                for wire in wires:
                    wire.split, wire.delay, wire.cut_after = plan.split, plan.delay_ms / 1000, plan.cut_after
                await _act(house, plan, casts, wires)
                await _catch_up(casts)
        except TimeoutError:
            stuck = [str(viewer) for cast in casts for viewer in cast.everybody if not _has_all(cast, viewer)]
            return [f"not settled within {SETTLED_WITHIN_S:g} s; these lack something: {', '.join(stuck)}"], ""
        drafts = [await editor.agree() for cast in casts for editor in cast.editors]
        # Once more: what the second told in agreeing, the first has not had.
        drafts = [await editor.agree() for cast in casts for editor in cast.editors] if drafts else []
        late = [SocketViewer(cast.room, cast.room.vera, wires, chance) for cast in casts]
        for viewer, cast in zip(late, casts, strict=True):
            closing.push_async_callback(viewer.leave)
            cast.watchers.append(viewer)
        await _catch_up(casts)
        found = []
        for cast in casts:
            evidence = Evidence(
                room=cast.room,
                asked=cast.asked,
                viewers=[viewer for viewer in cast.everybody if viewer not in cast.removed],
                removed=cast.removed,
                drafts=drafts if cast.editors else [],
                typed=[editor.typed for editor in cast.editors],
            )
            found += await faults_of(evidence)
        return found, _how_it_went(casts)


async def _cast(house: House, wires: list[Wire], chance: Random, *, first: bool) -> Cast:
    room = await asyncio.to_thread(make_room, house.stack)
    cast = Cast(
        room,
        SocketViewer(room, room.olga, wires, chance),
        SocketViewer(room, room.tariq, wires, chance),
        [
            SocketViewer(room, room.vera, wires, chance),
            EventsViewer(room, room.vera, wires, chance),
            EventsViewer(room, room.olga, wires, chance),
        ],
    )
    if first:
        async with house.stack.rest_soon(room.olga) as rest:
            body = {"user": room.otto.id, "role": "editor"}
            added = await rest.post(f"/v1/sessions/{room.session}/members", json=body)
            assert added.status_code == 201, added.text
        cast.removed = [kind(room, room.otto, wires, chance) for kind in (SocketViewer, EventsViewer)]
        cast.editors = [Editor(room, person, wires, chance) for person in (room.olga, room.tariq)]
    return cast


async def _all_in(casts: list[Cast]) -> None:
    await _until(lambda: all(viewer.connections for cast in casts for viewer in cast.everybody))


async def _act(house: House, plan: Plan, casts: list[Cast], wires: list[Wire]) -> None:
    """Returns when every answer is over, every fault is undone, and the wires are kind."""
    async with asyncio.TaskGroup() as acting:
        suffering = [acting.create_task(house.suffer(fault, wires)) for fault in plan.faults]
        asking = [acting.create_task(_ask_all(house, cast, asks)) for cast, asks in zip(casts, plan.rooms, strict=True)]
        acting.create_task(_remove(casts[0], plan.removed, wires))
        writing = [acting.create_task(_write(editor)) for cast in casts for editor in cast.editors]
        await asyncio.gather(*suffering, *asking)
        for wire in wires:
            wire.be_kind()
        await asyncio.gather(*writing)
    await house.ready()


async def _ask_all(house: House, cast: Cast, asks: tuple[Ask, ...]) -> None:
    async with asyncio.TaskGroup() as acting:
        for ask in asks:
            asked = await _ask(cast, ask)
            cast.asked.append(asked)
            acting.create_task(_meddle(cast, asked))
    await asyncio.gather(*(_over(house, cast, asked) for asked in cast.asked))


async def _ask(cast: Cast, ask: Ask) -> Asked:
    """Asked with a key: however often it is sent, it is said once."""
    prompt, key = f"What is {secrets.token_hex(6)}?", secrets.token_hex(8)
    tools = {"tools": [APPROVABLE]} if ask.approved is not None else {}

    async def send(socket: Live) -> str:
        return await socket.prompt(cast.room.session, prompt, ask.model, key=key, **tools)

    return Asked(prompt, ask, await cast.olga.do(send))


async def _meddle(cast: Cast, asked: Asked) -> None:
    """What people do to a running answer: a viewer tries what only others may; an editor stops it or decides on its tool."""
    vera = cast.watchers[0]
    assert isinstance(vera, SocketViewer)
    asked.trespasses.append(await _refused(vera, "stream.stop", stream=asked.stream))
    tariq = cast.tariq
    if asked.ask.stopped_at is not None:
        words = asked.ask.stopped_at
        await _until(lambda: tariq.watched.text(asked.stream).count(" ") >= words or tariq.watched.ended(asked.stream))
        await _unless_over(tariq, "stream.stop", stream=asked.stream)
    elif asked.ask.approved is not None:

        def call() -> str | None:
            state = tariq.watched.state.streams.get(asked.stream)
            waiting = state.tool_calls.values() if state is not None else ()
            return next((each["call"] for each in waiting if each["status"] == "awaiting_approval"), None)

        await _until(lambda: call() or tariq.watched.ended(asked.stream))
        if (found := call()) is not None:
            fields = {"stream": asked.stream, "call": found, "approved": asked.ask.approved}
            # Both at once: one of them decides, the other is told that it is decided.
            await asyncio.gather(*(_unless_over(each, "tool.approve", **fields) for each in (tariq, cast.olga)))


async def _refused(viewer: SocketViewer, type: str, **fields: object) -> str:
    """The code with which it was refused; empty where it was not."""
    try:
        await viewer.do(lambda socket: socket.ask(type, **fields))
    except Refused as refused:
        return refused.code
    return ""


async def _unless_over(viewer: SocketViewer, type: str, **fields: object) -> None:
    """Raises Refused for anything but that it came too late."""
    code = await _refused(viewer, type, **fields)
    assert code in ("", "conflict", "not_found"), f"{type} of {viewer} was refused with {code}"


async def _over(house: House, cast: Cast, asked: Asked) -> None:
    """Returns when the database says that the answer is over."""
    async with house.stack.rest_soon(cast.room.olga) as rest:

        async def ended() -> bool:
            try:
                answer = await rest.get(f"/v1/streams/{asked.stream}", timeout=5)
            except (OSError, httpx.TransportError):
                return False
            return answer.status_code == 200 and answer.json()["status"] in OVER

        await eventually(ended, f"{asked.stream} is over", SETTLED_WITHIN_S)


async def _remove(cast: Cast, after: float, wires: list[Wire]) -> None:
    """Otto is put out, by whichever server answers."""
    await asyncio.sleep(after)
    room = cast.room
    path = f"/v1/sessions/{room.session}/members/{room.otto.id}"
    async with httpx.AsyncClient(headers=room.olga.headers, trust_env=False, timeout=5) as rest:
        while True:
            for wire in wires:
                try:
                    answer = await rest.delete(f"{wire.url}{path}")
                except AWAY:
                    continue
                # 404: he was put out by an answer that got lost.
                if answer.status_code in (200, 204, 404):
                    return
                assert answer.status_code in (429, 503), answer.text
            await asyncio.sleep(AGAIN_S)


async def _write(editor: Editor) -> None:
    for n in range(12):
        await editor.write(f"{'ab' if editor.person.name == 'Olga' else 'cd'}{n % 10}")
        await asyncio.sleep(0.1)


def _has_all(cast: Cast, viewer: Viewer) -> bool:
    if viewer in cast.removed:
        return viewer.lost is not None or viewer.broken is not None
    if viewer.broken is not None:
        return True
    watched = viewer.watched
    replies = {message["stream"] for message in watched.state.messages.values() if message["status"] in OVER}
    return bool(cast.asked) and all(asked.stream in replies for asked in cast.asked)


async def _catch_up(casts: list[Cast]) -> None:
    await _until(lambda: all(_has_all(cast, viewer) for cast in casts for viewer in cast.everybody))


async def _until(condition: Callable[[], Any]) -> None:
    """As long as the round takes."""

    async def holds() -> bool:
        return bool(condition())

    await eventually(holds, "what this round waits for", 2 * SETTLED_WITHIN_S)


def _how_it_went(casts: list[Cast]) -> str:
    ends = [
        next(m["status"] for m in cast.olga.watched.state.messages.values() if m["stream"] == asked.stream)
        for cast in casts
        for asked in cast.asked
    ]
    again = sum(viewer.connections - 1 for cast in casts for viewer in cast.everybody)
    resets = sum(len(cast.olga.watched.of_type("reset")) for cast in casts)
    counted = ", ".join(f"{ends.count(each)} {each}" for each in OVER if each in ends)
    return f"{counted}; {resets} reset, {again} reconnects"
