"""For all interleavings of writing, losing, leaving, resuming and being slow: every viewer ends with the log's text."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streaming.hub import Hub, Subscription, View
from streaming.layer import LiveChannelLayer, LiveLoopLayer
from streaming.models import Stream, StreamStatus
from tests.streaming.hub.test_hub import Author
from tests.streaming.hub.viewers import Viewer

VIEWERS = 3

viewers = st.integers(0, VIEWERS - 1)
steps = st.one_of(
    st.tuples(st.just("say"), st.text("aé😀 ", min_size=1, max_size=4)),
    st.tuples(st.just("say"), st.text("xyz", min_size=1, max_size=4)),
    st.tuples(st.just("think"), st.text("hm", min_size=1, max_size=3)),
    st.tuples(st.just("lose"), st.integers(1, 3)),
    st.tuples(st.just("leave"), viewers),
    st.tuples(st.just("resume"), viewers),
    st.tuples(st.just("slow"), viewers),
    st.tuples(st.just("read again"), viewers),
    st.tuples(st.just("reconnect"), st.none()),
    st.tuples(st.just("breathe"), st.none()),
)


class Scene:
    def __init__(self, layer: LiveLoopLayer, row: Any) -> None:
        self.layer = layer
        self.hub = Hub(layer)
        self.author = Author(layer, row)
        self.viewers = [Viewer() for _ in range(VIEWERS)]
        self.views = [View(), View(show_thoughts=True), View(flush_ms=16)]
        self.subscriptions: list[Subscription | None] = [None] * VIEWERS
        self.lose = 0
        shard = layer._shards[0]
        self.deliver, shard._receive_message = shard._receive_message, self.maybe_deliver

    def maybe_deliver(self, message: Any) -> None:
        if self.lose:
            self.lose -= 1
        else:
            self.deliver(message)

    async def play(self, step: tuple[str, Any]) -> None:
        what, value = step
        if what == "say":
            await self.author.say(value)
        elif what == "think":
            await self.author.think(value)
        elif what == "lose":
            self.lose += value
        elif what == "leave" and (subscription := self.subscriptions[value]):
            self.hub.unsubscribe(subscription)
            self.subscriptions[value] = None
        elif what == "resume":
            await self.resume(value)
        elif what == "slow":
            self.viewers[value].slow = True
        elif what == "read again":
            self.viewers[value].read_again()
        elif what == "reconnect" and (connection := self.layer._shards[0]._connection):
            await connection.disconnect(nowait=True)
        elif what == "breathe":
            await asyncio.sleep(0)

    async def resume(self, index: int) -> None:
        viewer = self.viewers[index]
        if subscription := self.subscriptions[index]:
            self.hub.unsubscribe(subscription)
        resume = viewer.position.epoch is not None
        self.subscriptions[index] = await viewer.watch(self.hub, self.author.log, self.views[index], resume=resume)

    async def end(self) -> None:
        for index, viewer in enumerate(self.viewers):
            viewer.read_again()
            if self.subscriptions[index] is None:
                await self.resume(index)
        self.lose = 0
        await self.author.finish()
        for viewer in self.viewers:
            await viewer.until(lambda v: v.frames and v.state.streams[self.author.stream].ended)


async def play_all(redis_url: str, row: Any, script: list[tuple[str, Any]]) -> None:
    layer = LiveChannelLayer(hosts=[{"address": redis_url, "max_connections": 50}]).here()
    scene = Scene(layer, row)
    try:
        await scene.author.start()
        for step in script:
            await scene.play(step)
        await scene.end()
        logged = await layer.log.read(scene.author.log)
        text = "".join(event.data for event in logged if event.type == "token")
        thoughts = "".join(event.data for event in logged if event.type == "thought")
        assert text == scene.author.text
        for viewer, view in zip(scene.viewers, scene.views, strict=True):
            assert viewer.gaps == 0
            assert viewer.text(scene.author.stream) == text
            shown = "".join(viewer.state.streams[scene.author.stream].thoughts)
            assert shown == (thoughts if view.show_thoughts else "")
    finally:
        await scene.hub.close()
        await layer.flush()


@pytest.mark.timeout(180)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=st.lists(steps, max_size=40))
def test_every_viewer_ends_with_what_the_log_says(redis_url: str, transactional_db: None, script: list[Any]) -> None:
    row = Stream(anonymous=True, request={}, status=StreamStatus.RUNNING)
    row.log = f"stream:{row.pk}"
    row.save()
    asyncio.run(play_all(redis_url, row, script))
