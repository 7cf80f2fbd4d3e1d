"""`HanzoLiveSSE` against a real server: text, events, cuts, refusals."""

from __future__ import annotations

import pytest

from hanzo_live import AsyncHanzoLiveSSE, HanzoLiveError, HanzoLiveSSE
from tests.e2e.cable import cable_to
from tests.integration.conftest import Room
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)


def test_the_text_and_the_events(stack: Stack, prompt: str) -> None:
    with HanzoLiveSSE(stack.url, model="script-thoughts") as client:
        assert "".join(client.stream_chat(content=prompt)) == stack.node.said(prompt)
        kinds = [event.type for event in client.stream(content=prompt, show_thoughts=True)]
    assert kinds[-1] == "complete"
    assert {"stream_start", "thought", "token"} <= set(kinds)


def test_reading_goes_on_through_a_cut(stack: Stack, prompt: str) -> None:
    with (
        cable_to(stack.url) as cable,
        HanzoLiveSSE(cable.url, reconnect={"delay_ms": 50, "max_attempts": 100}) as client,
    ):
        text = ""
        cut = False
        for piece in client.stream_chat(content=prompt, model="script-slow@rate=40,tokens=120"):
            text += piece
            if not cut and len(text.split()) > 10:
                cut = True
                cable.pull()
                cable.put_in()
    assert cut
    assert text == stack.node.said(prompt)
    assert len(stack.node.requests(prompt)) == 1


def test_a_refusal_and_a_server_that_is_not_there_are_told_in_words(stack: Stack) -> None:
    with HanzoLiveSSE(stack.url, token="hzt_wrong") as client, pytest.raises(HanzoLiveError) as caught:
        list(client.stream_chat(content="x"))
    assert caught.value.code == "UNAUTHENTICATED"
    nowhere = HanzoLiveSSE("http://127.0.0.1:9", reconnect={"enabled": False})
    with nowhere as client, pytest.raises(HanzoLiveError, match="cannot be reached"):
        list(client.stream_chat(content="x"))


async def test_asyncio_has_the_same_with_a_token_that_is_awaited_and_in_a_session(room: Room, prompt: str) -> None:
    async def fresh() -> str:
        return room.olga.token

    async with AsyncHanzoLiveSSE(room.stack.url, get_token=fresh, model="script-thoughts") as client:
        text = "".join([piece async for piece in client.stream_chat(content=prompt, session=room.session)])
    assert text == room.stack.node.said(prompt)
    assert [message["content"] for message in room.messages()] == [prompt, text]


def test_in_a_session_an_answer_is_told_from_the_others(room: Room, prompt: str) -> None:
    asked = {"session": room.session, "overlap": "queue"}
    with HanzoLiveSSE(room.stack.url, token=room.olga.token) as client:
        first = client.stream_chat(content=f"{prompt} first", model="script-slow@rate=40,tokens=40", **asked)
        begun = next(first)
        second = "".join(client.stream_chat(content=f"{prompt} second", model="script-thoughts", **asked))
        whole = begun + "".join(first)
    assert whole == room.stack.node.said(f"{prompt} first")
    assert second == room.stack.node.said(f"{prompt} second")
