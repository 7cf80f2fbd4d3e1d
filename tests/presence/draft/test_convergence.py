"""For all edits, cuts, losses, doublings, merges and changes of the server's process: one text everywhere, nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft import drafts as module
from tests.presence.draft.editors import LOG, Editor, House

EDITORS = st.integers(0, 2)
PLACES = st.integers(0, 60)
STEPS = st.one_of(
    st.tuples(st.just("insert"), EDITORS, PLACES, st.sampled_from(["a", "bc", "é", "😀", "👩🏽‍🚀x", "שלום", "\n"])),
    st.tuples(st.just("delete"), EDITORS, PLACES, st.integers(1, 5)),
    st.tuples(st.just("send"), EDITORS),
    st.tuples(st.just("hear"), EDITORS, st.sets(st.integers(0, 40), max_size=3)),
    st.tuples(st.just("lose"), EDITORS, st.integers(0, 3)),  # an update never arrives
    st.tuples(st.just("double"), EDITORS),
    st.tuples(st.just("reverse"), EDITORS),
    st.tuples(st.just("sync"), EDITORS),
    st.tuples(st.just("reload"), EDITORS),  # a page that comes again, without its unsent edits
    st.tuples(st.just("process"), EDITORS, st.booleans()),
    st.tuples(st.just("everybody sends")),
)


async def _send(editor: Editor) -> None:
    try:
        await editor.flush()
    except LiveError as error:
        if error.code is not ErrorCode.CONFLICT:
            raise
        await editor.sync()


async def _do(house: House, people: list[Editor], shared: Any, step: tuple[Any, ...], written: Counter[str]) -> None:
    kind = step[0]
    if kind == "everybody sends":
        await asyncio.gather(*(_send(editor) for editor in people))
        return
    editor = people[step[1]]
    text = str(editor.text)
    if kind == "insert":
        editor.insert(min(step[2], len(text)), step[3])
        written.update(step[3])
    elif kind == "delete":
        editor.delete(min(step[2], len(text)), step[3])
    elif kind == "send":
        await _send(editor)
    elif kind == "hear":
        lost = {editor.heard + number for number in step[2]}
        editor.hear(lambda number: number in lost)
    elif kind == "lose" and editor.unsent:
        del editor.unsent[step[2] % len(editor.unsent)]
    elif kind == "double":
        editor.unsent += editor.unsent
    elif kind == "reverse":
        editor.unsent.reverse()
    elif kind == "sync":
        await editor.sync()
    elif kind == "reload":
        people[step[1]] = Editor(house, editor.drafts, step[1])
        await people[step[1]].sync()
    elif kind == "process":
        editor.drafts = shared if step[2] else house.process()


async def _settle(people: list[Editor]) -> None:
    # The second round brings everybody what the first one brought the server.
    for _ in range(2):
        for editor in people:
            await editor.sync()


@pytest.mark.timeout(180)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEPS, min_size=5, max_size=60))
def test_editors_agree_whatever_happens_on_the_way(redis_url: str, steps: list[tuple[Any, ...]]) -> None:
    async def scenario() -> None:
        house = House(redis_url)
        await house.redis.flushall()
        shared = house.process()
        people = [Editor(house, drafts, number) for number, drafts in enumerate((shared, shared, house.process()))]
        written: Counter[str] = Counter()
        for step in steps:
            await _do(house, people, shared, step, written)
        await _settle(people)
        late = Editor(house, house.process(), 9)
        await late.sync()
        texts = [str(editor.text) for editor in [*people, late]]
        assert len(set(texts)) == 1, texts
        assert Counter(texts[0]) <= written, "no character is there more often than it was written"
        assert await shared.send(LOG, 1, house.post) == texts[0] if texts[0].strip() else True
        await house.redis.aclose()

    with patch.object(module, "COMPACT_ABOVE", 4):
        asyncio.run(scenario())
