"""A Redis whose memory is full takes nothing more: everybody is told so, and once there is room all goes on."""

from __future__ import annotations

import pytest

from tests.integration.client import live
from tests.integration.conftest import make_room
from tests.integration.stack import Stack, eventually

pytestmark = pytest.mark.timeout(150)


async def test_an_answer_waits_for_room_and_loses_nothing(pair: Stack, prompt: str) -> None:
    room, other = make_room(pair), make_room(pair)
    async with live(pair, room.olga) as olga, pair.rest_soon(room.olga) as rest:
        watched, elsewhere = await olga.watch(room.log), await olga.watch(other.log)
        stream = await olga.prompt(room.session, prompt, "script-slow@rate=40,tokens=200")
        await olga.has_words(watched, stream, 20)
        with pair.redis() as redis:
            redis.config_set("maxmemory", "1mb")
            try:
                sent = await rest.post(
                    f"/v1/sessions/{room.session}/messages", json={"content": "And now?", "reply": False}
                )
                asked = await rest.post(
                    f"/v1/sessions/{other.session}/messages",
                    json={"content": f"{prompt} Elsewhere.", "model": "script-echo"},
                )
                assert [sent.status_code, asked.status_code] == [202, 202], sent.text + asked.text

                async def far() -> bool:
                    return pair.node.requests(prompt)[-1]["tokens"] >= 120

                await eventually(far, "the node is further")
                assert not watched.ended(stream)
            finally:
                redis.config_set("maxmemory", "0")
        await olga.end_of(watched, stream, 60)
        await olga.end_of(elsewhere, asked.json()["stream"], 60)
        await olga.until(lambda: sent.json()["message"] in watched.state.messages, "what was said meanwhile is told")
    said = pair.node.said(prompt)
    assert watched.text(stream) == said
    assert room.messages()[1]["content"] == said
    assert other.messages()[1]["content"] == f"{prompt} Elsewhere."
    assert len([each for each in pair.node.requests(prompt) if "Elsewhere" not in str(each["messages"])]) == 1
