"""What the verbs of a draft promise to those who edit it."""

from __future__ import annotations

import asyncio

import pytest
import redis

from hanzo_live.protocol.errors import ErrorCode
from presence.draft import drafts as module
from presence.draft import drop
from tests.presence.draft.editors import LOG, Editor, House, refusal


async def test_what_one_writes_the_others_have(house: House) -> None:
    ada, grace = Editor(house, house.process(), 1), Editor(house, house.process(), 2)
    ada.insert(0, "Hello 😀 world")
    await ada.flush()
    grace.hear()
    grace.delete(6, 2)
    await grace.flush()
    ada.hear()
    assert str(ada.text) == str(grace.text) == "Hello world"
    assert house.told[0]["user"] == ada.user
    assert [body["n"] for body in house.told] == [1, 2], "a hole in the numbers shows a page that it missed one"


async def test_who_comes_later_gets_it_all_by_a_sync(house: House) -> None:
    ada, late = Editor(house, house.process(), 1), Editor(house, house.process(), 2)
    ada.insert(0, "abc")
    await ada.flush()
    await late.sync()
    assert str(late.text) == "abc"
    assert len(house.told) == 1, "a sync that brings nothing tells nothing"


async def test_an_update_sent_twice_is_kept_and_told_once(house: House) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "abc")
    (update,) = ada.unsent
    await ada.send(update)
    await ada.send(update)
    assert len(house.told) == 1
    assert await house.entries() == 1


async def test_the_last_change_is_told_again_to_whoever_could_not_take_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", (0.02, 0.04))
    drafts = house.process()
    ada, grace = Editor(house, drafts, 1), Editor(house, house.process(), 2)
    ada.insert(0, "ab")
    ada.insert(2, "c")
    await ada.flush()
    grace.heard = len(house.told)  # nothing of it reached her page
    async with asyncio.timeout(10):
        while drafts._again:
            house.something_told.clear()
            await house.something_told.wait()
    assert [body["n"] for body in house.told] == [1, 2, 2, 2], "only what has no successor, and not for ever"
    assert house.told[1] == house.told[2] == house.told[3]
    grace.hear()
    await grace.sync()
    assert str(grace.text) == "abc"
    await drafts.send(LOG, 1, house.post)
    async with asyncio.timeout(10):
        while drafts._again:
            house.something_told.clear()
            await house.something_told.wait()
    assert [body["generation"] for body in house.told[4:]] == [2, 2, 2], "and that the next draft is open"


async def test_an_update_whose_forerunner_was_lost_is_refused_until_a_sync(house: House) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "a")
    ada.insert(1, "b")
    error = await refusal(ada.send(ada.unsent[1]))
    assert error.code is ErrorCode.CONFLICT
    assert "draft.sync" in error.message
    assert await house.entries() == 0
    await ada.sync()
    late = Editor(house, house.process(), 2)
    await late.sync()
    assert str(late.text) == "ab"


async def test_the_list_is_merged_and_nothing_changes_for_anybody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMPACT_ABOVE", 5)
    first, second = house.process(), house.process()
    ada, grace = Editor(house, first, 1), Editor(house, second, 2)
    for number in range(40):
        editor = (ada, grace)[number % 3 == 0]
        editor.hear()
        editor.insert(number // 2, str(number % 10))
        await editor.flush()
        assert await house.entries() <= 6
    ada.hear()
    grace.hear()
    late = Editor(house, house.process(), 3)
    await late.sync()
    assert str(ada.text) == str(grace.text) == str(late.text)
    assert len(str(late.text)) == 40


async def test_the_draft_outlives_every_process(house: House) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "kept")
    await ada.flush()
    ada.drafts = house.process()
    ada.insert(4, "!")
    await ada.flush()
    late = Editor(house, house.process(), 2)
    await late.sync()
    assert str(late.text) == "kept!"


async def test_a_redis_that_lost_everything_gets_it_back_from_whoever_has_it(house: House) -> None:
    ada, grace = Editor(house, house.process(), 1), Editor(house, house.process(), 2)
    ada.insert(0, "abc")
    await ada.flush()
    grace.hear()
    await house.redis.flushall()
    await grace.sync()
    await ada.sync()
    grace.insert(3, "d")
    await grace.flush()
    ada.hear()
    late = Editor(house, house.process(), 3)
    await late.sync()
    assert str(ada.text) == str(grace.text) == str(late.text) == "abcd"


async def test_a_redis_that_lost_the_last_edits_is_noticed_though_others_came(house: House) -> None:
    first, second = house.process(), house.process()
    ada, grace = Editor(house, first, 1), Editor(house, second, 2)
    ada.insert(0, "a")
    await ada.flush()
    key = f"live:{{{LOG}}}:draft"
    await house.redis.delete(f"{key}:1")
    await house.redis.hset(key, "last", 0)
    grace.insert(0, "g")
    await grace.flush()
    ada.insert(1, "b")
    error = await refusal(ada.flush())
    assert error.code is ErrorCode.CONFLICT, "its forerunner is lost"
    await ada.sync()
    grace.hear()
    assert sorted(str(grace.text)) == ["a", "b", "g"]
    assert str(ada.text) == str(grace.text)


async def test_two_who_send_at_once_make_one_message_and_begin_the_next(house: House) -> None:
    first, second = house.process(), house.process()
    ada, grace = Editor(house, first, 1), Editor(house, second, 2)
    ada.insert(0, "What is it?")
    await ada.flush()
    sent = await asyncio.gather(first.send(LOG, 1, house.post), second.send(LOG, 1, house.post))
    assert sent == ["What is it?"] * 2
    assert house.posted == {"draft:1": "What is it?"}
    assert [body for body in house.told if body["update"] is None] == [
        {"generation": 2, "update": None, "n": 0, "user": None}
    ]
    await grace.sync()
    assert (grace.generation, str(grace.text)) == (2, "")


async def test_an_update_for_an_older_generation_is_refused_and_told_the_open_one(house: House) -> None:
    drafts = house.process()
    ada = Editor(house, drafts, 1)
    ada.insert(0, "sent")
    await ada.flush()
    await drafts.send(LOG, 1, house.post)
    ada.insert(4, " too late")
    error = await refusal(ada.flush())
    assert error.code is ErrorCode.CONFLICT
    assert error.field == "generation"
    assert "generation 2" in error.message
    await ada.sync()
    assert str(ada.text) == ""
    ada.insert(0, "next")
    await ada.flush()
    assert await drafts.send(LOG, 2, house.post) == "next"


async def test_an_empty_draft_is_not_sent(house: House) -> None:
    error = await refusal(house.process().send(LOG, 1, house.post))
    assert error.code is ErrorCode.BAD_REQUEST
    assert house.posted == {}


async def test_a_refused_message_leaves_the_draft_as_it_is(house: House) -> None:
    drafts = house.process()
    ada = Editor(house, drafts, 1)
    ada.insert(0, "wait")
    await ada.flush()

    async def refuse(text: str | None, key: str) -> str:
        raise RuntimeError("an answer is being written")

    with pytest.raises(RuntimeError):
        await drafts.send(LOG, 1, refuse)
    ada.insert(4, "!")
    await ada.flush()
    assert await drafts.send(LOG, 1, house.post) == "wait!"


async def test_a_process_that_died_after_posting_leaves_no_draft_to_send_again(house: House) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "posted")
    await ada.flush()
    await house.post("posted", "draft:1")
    await ada.sync()
    assert (ada.generation, str(ada.text)) == (2, "")


async def test_a_redis_that_lost_everything_does_not_open_what_was_posted(house: House) -> None:
    drafts = house.process()
    ada = Editor(house, drafts, 1)
    ada.insert(0, "posted")
    await ada.flush()
    await drafts.send(LOG, 1, house.post)
    await house.redis.flushall()
    error = await refusal(ada.send(b"\0\0"))
    assert error.code is ErrorCode.CONFLICT
    assert "generation 2" in error.message


async def test_a_person_who_leaves_in_the_middle_still_has_said_it(house: House) -> None:
    drafts = house.process()
    ada = Editor(house, drafts, 1)
    ada.insert(0, "last words")
    going = asyncio.get_running_loop().create_task(ada.flush())
    await asyncio.sleep(0)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    async with asyncio.timeout(10):
        await house.something_told.wait()
    late = Editor(house, house.process(), 2)
    await late.sync()
    assert str(late.text) == "last words"


async def test_a_dropped_draft_leaves_nothing_behind(house: House, redis_url: str) -> None:
    ada = Editor(house, house.process(), 1)
    ada.insert(0, "abc")
    await ada.flush()
    with redis.Redis.from_url(redis_url) as client:
        drop(client, LOG)
    assert await house.redis.keys("*draft*") == []
