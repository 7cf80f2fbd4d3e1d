"""The hub against a real Valkey: whatever happens on the way, every viewer ends with what the log says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.hub import Hub, Phase, View
from streaming.layer import LiveLoopLayer
from streaming.log import Entry
from tests.streaming.hub.viewers import Viewer


class Author:
    """Writes a stream's tokens to its log, as a worker does."""

    def __init__(self, layer: LiveLoopLayer, row: Any) -> None:
        self.layer, self.log, self.stream = layer, row.log, str(row.pk)
        self.text = ""
        self.batch = 0

    async def start(self) -> None:
        body = {"message": None, "model": "m", "requested_model": "m", "user": None, "node": "local", "cached": None}
        await self.layer.log.append(self.log, Entry("stream_start", self.stream, body=body))

    async def say(self, text: str) -> None:
        self.batch += 1
        self.text += text
        await self.layer.log.append(self.log, Entry("token", self.stream, text, 1), batch=self.batch)

    async def think(self, text: str) -> None:
        self.batch += 1
        await self.layer.log.append(self.log, Entry("thought", self.stream, text, 1), batch=self.batch)

    async def finish(self) -> None:
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "estimated": False}
        body = {"finish_reason": "stop", "usage": usage, "duration_ms": 1}
        await self.layer.log.append(self.log, Entry("complete", self.stream, body=body), key="end")


@pytest.fixture
async def author(layer: LiveLoopLayer, stream_row: Any) -> Author:
    author = Author(layer, stream_row)
    await author.start()
    return author


def has(author: Author) -> Any:
    return lambda viewer: viewer.text(author.stream) == author.text


async def test_it_delivers_to_everyone_in_the_same_frames(hub: Hub, author: Author) -> None:
    viewers = [Viewer() for _ in range(5)]
    for viewer in viewers:
        await viewer.watch(hub, author.log)
        await viewer.until(lambda v: v.frames)
    for word in ("one", "two", "three", "four"):
        await author.say(word + " ")
    await author.finish()
    for viewer in viewers:
        await viewer.until(lambda v: v.frames[-1]["type"] == "complete")
        assert viewer.text(author.stream) == "one two three four "
        assert viewer.gaps == 0
        assert viewer.frames[1:] == viewers[0].frames[1:]


async def test_a_late_joiner_gets_the_whole_text_in_one_snapshot(hub: Hub, author: Author) -> None:
    for i in range(300):
        await author.say(f"{i} ")
    viewer = Viewer()
    await viewer.watch(hub, author.log)
    await viewer.until(has(author))
    assert [frame["type"] for frame in viewer.frames] == ["snapshot"]
    await author.say("more")
    await viewer.until(has(author))
    assert viewer.gaps == 0


async def test_a_resume_continues_where_the_client_was(hub: Hub, author: Author) -> None:
    viewer = Viewer()
    subscription = await viewer.watch(hub, author.log)
    await author.say("before ")
    await viewer.until(has(author))
    hub.unsubscribe(subscription)
    for _ in range(20):
        await author.say("between ")
    await viewer.watch(hub, author.log, resume=True)
    await viewer.until(has(author))
    await author.say("after")
    await viewer.until(has(author))
    assert viewer.gaps == 0
    assert [frame["type"] for frame in viewer.frames].count("snapshot") == 1


async def test_thoughts_go_only_to_those_who_asked_and_leave_no_hole(hub: Hub, author: Author) -> None:
    plain, curious = Viewer(), Viewer()
    await plain.watch(hub, author.log)
    await curious.watch(hub, author.log, View(show_thoughts=True))
    late = Viewer()
    for i in range(4):
        await author.think(f"hm {i} ")
        await author.say(f"word {i} ")
        await author.think("well ")
    await plain.until(has(author))
    await late.watch(hub, author.log)  # while the newest event is not for its view
    await author.think("at last ")
    await author.say("done")
    for viewer in (plain, curious, late):
        await viewer.until(has(author))
        assert viewer.gaps == 0
    assert plain.state.streams[author.stream].thoughts == []
    assert len("".join(curious.state.streams[author.stream].thoughts)) > 20
    assert not [frame for frame in [*plain.frames, *late.frames] if frame["type"] == "thought"]


async def test_a_slow_viewer_holds_nobody_up_and_catches_up_in_one_frame(hub: Hub, author: Author) -> None:
    slow, fast = Viewer(), Viewer()
    await slow.watch(hub, author.log)
    await fast.watch(hub, author.log)
    await slow.until(lambda v: v.frames)
    slow.slow = True
    for i in range(200):
        await author.say(f"{i} ")
    await fast.until(has(author))
    assert len(slow.frames) <= 2
    before = len(slow.frames)
    slow.read_again()
    await slow.until(has(author))
    assert len(slow.frames) == before + 1
    assert slow.gaps == 0
    await author.say("end")
    await slow.until(has(author))
    assert slow.gaps == 0


class Dripping(Viewer):
    """A viewer that takes a byte between any two looks at its buffer, until `left` is used up."""

    left = 0

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    @property
    def buffered(self) -> int:
        self.left = max(0, self.left - 1)
        self._changed.set()
        return self.left

    @buffered.setter
    def buffered(self, _: int) -> None: ...


async def test_who_reads_slowly_stays_and_who_takes_nothing_is_given_up(
    hub: Hub, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.hub.catching_up.STUCK_AFTER_S", 0.01)
    dripping, stuck = Dripping(50), Viewer()
    for viewer in (dripping, stuck):
        await viewer.watch(hub, author.log)
        await viewer.until(lambda v: v.frames)
        viewer.slow = True
    await author.say("one ")
    await stuck.until(lambda v: v.given_up)
    assert not dripping.given_up
    await dripping.until(lambda v: v.left < 40)
    dripping.read_again()
    await dripping.until(has(author))
    dripping.slow = True
    await author.say("two ")
    await dripping.until(lambda v: v.given_up)
    assert dripping.left == 0


async def test_a_published_message_that_is_lost_is_read_from_the_log(
    hub: Hub, layer: LiveLoopLayer, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewers = [Viewer() for _ in range(50)]
    for viewer in viewers:
        await viewer.watch(hub, author.log)
    shard = layer._shards[0]
    deliver = shard._receive_message
    count = 0

    def lose_every_third(message: Any) -> None:
        nonlocal count
        count += 1
        if count % 3:
            deliver(message)

    monkeypatch.setattr(shard, "_receive_message", lose_every_third)
    for i in range(90):
        await author.say(f"{i} ")
    await author.finish()
    for viewer in viewers:
        await viewer.until(lambda v: v.frames[-1]["type"] == "complete")
        assert viewer.text(author.stream) == author.text
        assert viewer.gaps == 0


async def test_a_lost_last_message_is_found_by_looking_at_the_head(
    hub: Hub, layer: LiveLoopLayer, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.hub.hub.HEADS_EVERY_S", 0.05)
    viewer = Viewer()
    await viewer.watch(hub, author.log)
    await author.say("heard ")
    await viewer.until(has(author))
    monkeypatch.setattr(layer._shards[0], "_receive_message", lambda message: None)
    await author.say("not heard")
    await viewer.until(has(author))


async def test_a_new_epoch_gives_everyone_a_snapshot(
    hub: Hub, layer: LiveLoopLayer, author: Author, redis_url: str
) -> None:
    viewer = Viewer()
    await viewer.watch(hub, author.log)
    await author.say("one ")
    await viewer.until(has(author))
    old = viewer.position.epoch
    # What a restart of Redis looks like to the scripts: another run id.
    layer.log._appends._run_id = "another"
    layer.log._reads._run_id = "another"
    await author.say("two ")
    await viewer.until(has(author))
    assert viewer.position.epoch != old
    assert viewer.gaps == 0


async def test_a_removed_member_gets_the_removal_and_nothing_after_it(hub: Hub, author: Author) -> None:
    gone, stays = Viewer(user_id="u-gone"), Viewer(user_id="u-stays")
    for viewer in (gone, stays):
        await viewer.watch(hub, author.log)
    await author.say("before ")
    await gone.until(has(author))
    body = {"action": "removed", "user": {"id": "u-gone", "name": "G", "avatar": None}, "role": None}
    await author.layer.log.append(author.log, Entry("member", body=body))
    await author.say("secret")
    await stays.until(has(author))
    await gone.until(lambda v: v.frames[-1]["type"] == "unsubscribed")
    assert gone.text(author.stream) == "before "
    assert [frame["type"] for frame in gone.frames[-2:]] == ["member", "unsubscribed"]
    assert gone.ended == author.log


async def test_nothing_is_sent_while_a_subscription_is_held(hub: Hub, author: Author) -> None:
    viewer, other = Viewer(), Viewer()
    subscription = await viewer.watch(hub, author.log)
    await other.watch(hub, author.log)
    await viewer.until(lambda v: v.frames)
    hub.hold(subscription)
    before = len(viewer.frames)
    for i in range(10):
        await author.say(f"{i} ")
    await other.until(has(author))
    assert len(viewer.frames) == before
    hub.release(subscription)
    await viewer.until(has(author))
    assert viewer.gaps == 0


async def test_flush_classes_merge_more_and_end_the_same(hub: Hub, author: Author) -> None:
    eager, lazy, full = Viewer(), Viewer(), Viewer()
    await eager.watch(hub, author.log)
    await lazy.watch(hub, author.log, View(flush_ms=50))
    await full.watch(hub, author.log, View(flush_ms=1000, buffer_size=8))
    for i in range(64):
        await author.say(f"{i} ")
        await eager.until(has(author))  # else a machine that is busy merges hers as much as the others'
    await author.finish()
    for viewer in (eager, lazy, full):
        await viewer.until(lambda v: v.frames[-1]["type"] == "complete")
        assert viewer.text(author.stream) == author.text
        assert viewer.gaps == 0
    assert len(lazy.frames) < len(eager.frames)


async def test_leaving_and_coming_back_quickly_loses_nothing(hub: Hub, author: Author) -> None:
    viewer = Viewer()
    subscription = await viewer.watch(hub, author.log)
    for i in range(60):
        hub.unsubscribe(subscription)
        said = asyncio.ensure_future(author.say(f"{i} "))
        subscription = await viewer.watch(hub, author.log, resume=viewer.position.epoch is not None)
        await said
    await viewer.until(has(author))
    assert viewer.gaps == 0


async def test_an_ended_subscription_is_not_attached_again(hub: Hub, author: Author) -> None:
    viewer = Viewer()
    subscription = await viewer.watch(hub, author.log)
    await viewer.until(lambda v: v.frames)
    hub.unsubscribe(subscription)
    hub.release(subscription)
    hub.hold(subscription)
    await author.say("x")
    assert subscription.phase is Phase.ENDED
    assert hub.subscriptions() == []
