"""`HanzoLiveClient` and `AsyncHanzoLiveClient` against a real server: answers, cuts, sessions, refusals."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator

import pytest

from hanzo_live import (
    AsyncHanzoLiveClient,
    ConnectionState,
    HanzoLiveClient,
    HanzoLiveError,
    StreamCompleted,
    StreamStarted,
)
from tests.e2e.cable import Cable, cable_to
from tests.integration.conftest import Room
from tests.integration.stack import PATIENCE_S, Stack

pytestmark = pytest.mark.timeout(180)

SLOW = "script-slow@rate=40,tokens=120"


def asked(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


@pytest.fixture
def client(stack: Stack) -> Iterator[HanzoLiveClient]:
    with HanzoLiveClient(stack.url.replace("http", "ws", 1)) as made:
        yield made


@pytest.fixture
def cable(stack: Stack) -> Iterator[Cable]:
    with cable_to(stack.url) as made:
        yield made


def test_a_plain_loop_reads_the_text(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    pieces = list(client.stream_chat(messages=asked(prompt), model="script-echo"))
    assert "".join(pieces) == stack.node.said(prompt)
    assert all(isinstance(piece, str) and piece for piece in pieces)


async def test_the_same_client_serves_asyncio(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    text = "".join([piece async for piece in client.stream_chat_async(content=prompt, model="script-echo")])
    assert text == stack.node.said(prompt)


async def test_events_come_typed_and_end_with_complete(stack: Stack, prompt: str) -> None:
    async with AsyncHanzoLiveClient(stack.url) as client:
        heard: list[object] = []
        client.on("stream_start", heard.append)
        client.on("stream_complete", heard.append)
        stream = client.stream(content=prompt, model="script-thoughts", show_thoughts=True)
        events = [event async for event in stream]
        kinds = [event.type for event in events if event.type != "progress"]
        assert kinds[0] == "stream_start"
        assert kinds[-1] == "complete"
        assert {"thought", "token"} <= set(kinds)
        text = "".join(event.data for event in events if event.type == "token")
        assert text == stack.node.said(prompt) == await stream.text() == stream.state.content
        assert stream.state.thoughts
        assert [type(each) for each in heard] == [StreamStarted, StreamCompleted]


async def test_without_being_asked_for_no_thoughts_come(stack: Stack, prompt: str) -> None:
    async with AsyncHanzoLiveClient(stack.url) as client:
        kinds = {event.type async for event in client.stream(content=prompt, model="script-thoughts")}
        assert "thought" not in kinds


@pytest.mark.parametrize("multiplexing", [True, False])
async def test_streams_run_side_by_side(stack: Stack, prompt: str, multiplexing: bool) -> None:
    async with AsyncHanzoLiveClient(stack.url, multiplexing=multiplexing, model="script-fast") as client:
        prompts = [f"{prompt} {number}" for number in range(3)]
        texts = await asyncio.gather(*(client.stream(content=each).text() for each in prompts))
        assert texts == [stack.node.said(each) for each in prompts]


def test_threads_share_one_client(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    texts: dict[str, str] = {}

    def ask(words: str) -> None:
        texts[words] = "".join(client.stream_chat(content=words, model="script-fast"))

    threads = [threading.Thread(target=ask, args=(f"{prompt} {number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert texts == {words: stack.node.said(words) for words in texts}
    assert len(texts) == 3


async def test_reading_goes_on_through_a_cut(stack: Stack, cable: Cable, prompt: str) -> None:
    async with AsyncHanzoLiveClient(cable.url, reconnect={"delay_ms": 50, "max_attempts": 100}) as client:
        attempts: list[int] = []
        client.on("reconnect", attempts.append)
        stream = client.stream(content=prompt, model=SLOW)
        text = ""
        async for piece in stream.tokens():
            text += piece
            if len(text.split()) > 10 and not attempts:
                cable.pull()
                await _until_waiting(client)
                cable.put_in()
        assert attempts
        assert text == stack.node.said(prompt)
        assert [event.type async for event in stream].count("complete") == 1


async def test_without_resuming_a_cut_is_told_and_the_answer_can_be_read_again(
    stack: Stack, cable: Cable, prompt: str
) -> None:
    options = {"delay_ms": 50, "max_attempts": 100}
    async with AsyncHanzoLiveClient(cable.url, reconnect=options, resume_on_reconnect=False) as client:
        pieces: list[str] = []

        async def read() -> None:
            async for piece in client.stream(content=prompt, model=SLOW).tokens():
                pieces.append(piece)
                if len("".join(pieces).split()) > 10:
                    cable.pull()

        with pytest.raises(HanzoLiveError) as caught:
            await read()
        assert caught.value.code == "STREAM_INTERRUPTED"
        assert caught.value.text == "".join(pieces)
        assert caught.value.stream is not None
        cable.put_in()
        await client.wait_for_reconnect()
        assert await client.resume(caught.value.stream).text() == stack.node.said(prompt)


async def _until_waiting(client: AsyncHanzoLiveClient) -> None:
    """The cut was noticed."""
    noticed = asyncio.Event()

    def on(state: ConnectionState) -> None:
        if state.status == "waiting":
            noticed.set()

    off = client.on("connection", on)
    if client.connection_state.status == "live":
        await asyncio.wait_for(noticed.wait(), PATIENCE_S)
    off()


def test_a_stopped_answer_keeps_its_text(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    stream = client.stream(content=prompt, model="script-slow@rate=40,tokens=2000")
    text = ""
    for piece in stream.tokens():
        text += piece
        if len(text.split()) > 5:
            stream.stop()
            break
    assert stream.text().startswith(text)
    assert stream.state.finish_reason == "stopped"


def test_leaving_a_loop_early_stops_nothing(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    started: list[StreamStarted] = []
    client.on("stream_start", started.append)
    for _ in client.stream_chat(content=prompt, model=SLOW):
        break
    assert client.resume(started[0].stream).text() == stack.node.said(prompt)


def test_people_work_in_a_session(room: Room) -> None:
    stack = room.stack
    with (
        HanzoLiveClient(stack.url, token=room.olga.token) as olga,
        HanzoLiveClient(stack.url, get_token=lambda: room.tariq.token) as tariq,
    ):
        assert olga.user is not None
        assert olga.user["id"] == room.olga.id
        with olga.subscribe(room.log) as watched, tariq.subscribe(room.log):
            events = iter(watched)
            assert next(events).type == "snapshot"
            tariq.set_presence(room.session, typing=True)
            while not watched.present.get(room.tariq.id, {}).get("typing"):
                next(events)
            sent = tariq.send_message(room.session, "What now?", model="script-echo")
            assert sent.stream is not None
            for event in events:
                if event.type == "complete" and event.stream == sent.stream:
                    break
            told = watched.state.transcript
            assert [message["role"] for message in told] == ["user", "assistant"]
            assert told[0]["user"]["id"] == room.tariq.id
            assert told[1]["content"] == stack.node.said("What now?")
        note = tariq.send_message(room.session, "For the record.", reply=False)
        assert note.stream is None
        assert olga.invite(room.session, role="viewer").url.startswith("http")


def test_a_session_is_made_by_the_client(stack: Stack) -> None:
    with HanzoLiveClient(stack.url, token=stack.people["Olga"].token) as olga:
        made = olga.create_session("Made in Python", model="script-echo")
        with olga.subscribe(made["log"]) as watched:
            first = next(iter(watched))
            assert first.type == "snapshot"
            assert first.state.session is not None
            assert first.state.session.title == "Made in Python"


def test_an_answer_in_a_session_is_read_from_its_start(room: Room, prompt: str) -> None:
    with HanzoLiveClient(room.stack.url, token=room.olga.token) as olga, olga.subscribe(room.log):
        text = "".join(olga.stream_chat(content=prompt, session=room.session, model="script-thoughts"))
        assert text == room.stack.node.said(prompt)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.connect(),
        lambda client: list(client.stream_chat(content="x")),
        lambda client: client.create_session("x"),
    ],
    ids=["connect", "stream", "rest"],
)
def test_a_wrong_token_is_refused_in_words(stack: Stack, call: Callable[[HanzoLiveClient], object]) -> None:
    client = HanzoLiveClient(stack.url, token="hzt_wrong")
    with pytest.raises(HanzoLiveError) as caught:
        call(client)
    assert caught.value.code == "UNAUTHENTICATED"
    client.disconnect()


async def test_an_expired_token_is_asked_for_afresh(stack: Stack) -> None:
    tokens = ["hzt_expired", stack.people["Olga"].token]

    async def fresh() -> str:
        return tokens.pop(0) if len(tokens) > 1 else tokens[0]

    async with AsyncHanzoLiveClient(stack.url, get_token=fresh) as client:
        assert client.user is not None
        assert client.user["id"] == stack.people["Olga"].id


def test_an_answer_that_fails_is_raised_with_its_text(stack: Stack, client: HanzoLiveClient, prompt: str) -> None:
    with pytest.raises(HanzoLiveError) as caught:
        list(client.stream_chat(content=prompt, model="script-context"))
    assert caught.value.code == "CONTEXT_LENGTH"
    assert caught.value.text == ""


def test_what_is_wrong_in_a_request_is_named_before_it_is_sent(client: HanzoLiveClient) -> None:
    with pytest.raises(HanzoLiveError) as caught:
        client.stream(content="x", temperature=7)
    assert (caught.value.code, caught.value.field) == ("BAD_REQUEST", "temperature")
    with pytest.raises(TypeError, match="maxTokens"):
        client.stream(content="x", maxTokens=5)  # type: ignore[call-arg]
    with pytest.raises(HanzoLiveError, match="address of a server"):
        HanzoLiveClient("localhost:3001")


def test_a_server_that_is_not_there_is_told_in_words_and_leaves_nothing_behind() -> None:
    client = HanzoLiveClient("ws://127.0.0.1:9", reconnect={"enabled": False})
    with pytest.raises(HanzoLiveError, match="cannot be reached") as caught:
        list(client.stream_chat(content="x"))
    assert caught.value.code == "DISCONNECTED"
    client.disconnect()
    thread = next(each for each in threading.enumerate() if each.name == "hanzo-live")
    del client, caught
    gc.collect()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_disconnecting_ends_what_is_being_read(stack: Stack, prompt: str) -> None:
    client = HanzoLiveClient(stack.url)
    pieces = client.stream_chat(content=prompt, model=SLOW)
    assert next(pieces)
    client.disconnect()
    with pytest.raises(HanzoLiveError) as caught:
        list(pieces)
    assert caught.value.code == "STREAM_INTERRUPTED"
