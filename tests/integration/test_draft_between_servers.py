"""The shared draft from two web processes: no cut, no race and no merging of its history costs or doubles a letter."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presence.draft.drafts import COMPACT_ABOVE
from tests.integration.client import Refused, live
from tests.integration.conftest import Room, make_room
from tests.integration.pages import Cabled, Page, page
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

EDITORS = st.integers(0, 1)
PLACES = st.integers(0, 60)
STEPS = st.one_of(
    st.tuples(st.just("insert"), EDITORS, PLACES, st.sampled_from(["a", "bc", "é", "😀", "👩🏽‍🚀x", "שלום", "\n"])),
    st.tuples(st.just("delete"), EDITORS, PLACES, st.integers(1, 5)),
    st.tuples(st.just("send"), EDITORS),
    st.tuples(st.just("hear"), EDITORS),
    st.tuples(st.just("cut"), EDITORS, st.booleans()),  # in the middle of sending, or not
    st.tuples(st.just("connect"), EDITORS, st.integers(0, 1)),  # to this server, from wherever it was
    st.tuples(st.just("both send")),
)


async def _send(editor: Cabled) -> None:
    if editor.online:
        assert editor.page is not None
        try:
            await editor.page.flush()
        except Refused as refused:
            if refused.code != "conflict":
                raise
            await editor.page.sync()


async def _do(editors: list[Cabled], servers: list[Stack], step: tuple[Any, ...], written: Counter[str]) -> None:
    kind = step[0]
    if kind == "both send":
        await asyncio.gather(*(_send(editor) for editor in editors))
        return
    editor = editors[step[1]]
    assert editor.page is not None
    text = str(editor.page.text)
    if kind == "insert":
        editor.page.insert(min(step[2], len(text)), step[3])
        written.update(step[3])
    elif kind == "delete":
        editor.page.delete(min(step[2], len(text)), step[3])
    elif kind == "send":
        await _send(editor)
    elif kind == "hear":
        editor.page.hear()
    elif kind == "cut":
        await editor.cut(sending=step[2])
    elif kind == "connect":
        await editor.connect(servers[step[2]])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_two_editors_agree_whatever_the_network_does(stack: Stack, other: Stack, steps: list[tuple[Any, ...]]) -> None:
    async def scenario() -> None:
        servers, written = [stack, other], Counter[str]()
        room = make_room(stack)
        async with AsyncExitStack() as sockets:
            editors = [Cabled(room, person, sockets) for person in (room.olga, room.olga)]
            for editor, server in zip(editors, servers, strict=True):
                await editor.connect(server)
            for step in steps:
                await _do(editors, servers, step, written)
            # The second round brings everybody what the first one brought the server.
            pages = [
                await editor.connect(server) for _ in range(2) for editor, server in zip(editors, servers, strict=True)
            ]
            late = [await _late(room, server, sockets) for server in servers]
        texts = [str(each.text) for each in [*pages[2:], *late]]
        assert len(set(texts)) == 1, texts
        assert Counter(texts[0]) <= written, "no character is there more often than it was written"

    asyncio.run(scenario())


async def _late(room: Room, server: Stack, sockets: AsyncExitStack) -> Page:
    return await page(room, await sockets.enter_async_context(live(server, room.olga)))


async def test_what_was_typed_without_a_network_is_there_once_afterwards(room: Room, other: Stack) -> None:
    async with AsyncExitStack() as sockets:
        olga, tariq = (Cabled(room, person, sockets) for person in (room.olga, room.tariq))
        ours, theirs = await olga.connect(room.stack), await tariq.connect(other)
        await ours.write("one two")
        await theirs.shows("one two")
        theirs.insert(7, " three")
        await tariq.cut(sending=True)  # it may have arrived, and the page cannot know
        theirs.insert(0, "zero ")
        await ours.write("!")
        await tariq.connect(room.stack)
        for _ in range(2):
            await theirs.sync()
        await ours.shows(str(theirs.text))
        assert str(ours.text) in ("zero one two three!", "zero one two! three")
        assert theirs.generation == 1


async def test_its_history_is_merged_while_two_servers_write(room: Room, other: Stack) -> None:
    edits = COMPACT_ABOVE * 2 // 3
    async with AsyncExitStack() as sockets:
        pages = [
            await page(room, await sockets.enter_async_context(live(server, person)))
            for server, person in ((room.stack, room.olga), (other, room.tariq))
        ]

        async def write(each: Page, letter: str) -> None:
            for _ in range(edits):
                each.hear()
                await each.write(letter)

        await asyncio.gather(*(write(each, letter) for each, letter in zip(pages, "ot", strict=True)))
        for _ in range(2):
            for each in pages:
                await each.sync()
        late = await _late(room, other, sockets)
        texts = {str(each.text) for each in [*pages, late]}
        assert len(texts) == 1
        assert Counter(texts.pop()) == {"o": edits, "t": edits}
        with room.stack.redis() as client:
            kept, told = f"live:{{{room.log}}}:draft:1", client.hgetall(f"live:{{{room.log}}}:draft")
            assert int(told["last"]) == 2 * edits
            assert int(told["merged"]) >= COMPACT_ABOVE
            assert client.llen(kept) == 2 * edits - int(told["merged"]) + 1


async def test_two_who_send_at_two_servers_make_one_message_each_time(room: Room, other: Stack, prompt: str) -> None:
    async with live(room.stack, room.olga) as first, live(other, room.tariq) as second:
        olga, tariq = await page(room, first), await page(room, second)
        for generation in (1, 2, 3):
            said = f"{prompt} {generation}"
            assert (olga.generation, tariq.generation) == (generation, generation)
            await (olga, tariq)[generation % 2].write(said)
            await (tariq, olga)[generation % 2].shows(said)
            replies = await asyncio.gather(olga.send(model="script-echo"), tariq.send(model="script-echo"))
            assert len({(reply["message"], reply["stream"]) for reply in replies}) == 1
            await first.end_of(olga.watched, replies[0]["stream"])
            for each in (olga, tariq):
                await each.sync()
                assert str(each.text) == ""
        for each in (olga, tariq):
            await _hears_of(each, 4)
    assert [(m["key"], m["content"]) for m in room.messages() if m["role"] == "user"] == [
        (f"draft:{generation}", f"{prompt} {generation}") for generation in (1, 2, 3)
    ]
    assert len(room.stack.node.requests(prompt)) == 3


async def _hears_of(each: Page, generation: int) -> None:
    """Until this page was told that the next draft is open: it was being replied to when it was told first."""
    await each.socket.until(
        lambda: any(
            frame["type"] == "draft" and frame["generation"] == generation and not frame["update"]
            for frame in each.watched.frames
        ),
        f"draft {generation}",
    )


@pytest.mark.parametrize("update", ["AAE", "AQEBAAQBBHRleHQC//4A"], ids=["no update", "no text"])
async def test_a_forged_update_changes_nothing_at_either_server(room: Room, other: Stack, update: str) -> None:
    async with live(room.stack, room.olga) as first, live(other, room.tariq) as second:
        olga, tariq = await page(room, first), await page(room, second)
        await olga.write("kept")
        await tariq.shows("kept")
        with pytest.raises(Refused) as refused:
            await second.ask("draft.update", session=room.session, generation=1, update=update)
        assert (refused.value.code, refused.value.reply["field"]) == ("bad_request", "update")
        await tariq.write("!")
        await olga.shows("kept!")
        assert {frame["n"] for frame in olga.watched.frames if frame["type"] == "draft"} == {1, 2}
