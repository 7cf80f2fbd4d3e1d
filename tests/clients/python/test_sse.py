"""`HanzoLiveSSE` against a real server: text, events, cuts, refusals."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from hanzo_live import HanzoLiveError, HanzoLiveSSE
from tests.e2e.cable import cable_to
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)


def test_the_text_and_the_events(stack: Stack, prompt: str) -> None:
    with HanzoLiveSSE(stack.url, model="script-thoughts") as client:
        assert "".join(client.stream_chat(content=prompt)) == stack.node.said(prompt)
        kinds = [event.type for event in client.stream(content=prompt, show_thoughts=True)]
    assert kinds[-1] == "complete"
    assert {"stream_start", "thought", "token"} <= set(kinds)


def test_reading_goes_on_through_a_cut(stack: Stack, prompt: str) -> None:
    port = urlsplit(stack.url).port
    assert port is not None
    with cable_to(port) as cable, HanzoLiveSSE(cable.url, reconnect={"delay_ms": 50, "max_attempts": 100}) as client:
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
