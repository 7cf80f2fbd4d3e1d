"""`HanzoLiveServer`: handlers that block side by side, clients of OpenAI's kind, failures and stops."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hanzo_live import HanzoLiveClient, HanzoLiveError
from hanzo_live.server.chunks import HandlerFailed
from hanzo_live.server.handlers import handler_of
from tests.cli.processes import Serve, until
from tests.clients.python.programs import free_port, program
from tests.integration.stack import PATIENCE_S, Node

pytestmark = pytest.mark.timeout(300)

PROGRAM = """
import asyncio
import threading

from hanzo_live import HanzoLiveServer

server = HanzoLiveServer(port={port}, models=["ours"])
both = threading.Barrier(2)

def blocks():
    both.wait(60)
    yield "met"

@server.on_stream
async def handle(messages, model, temperature=None):
    asked = messages[-1]["content"]
    if asked == "meet":
        for piece in blocks():
            yield {{"type": "token", "data": piece}}
    elif asked == "fail":
        yield "so far"
        raise RuntimeError("the secret reason")
    elif asked == "refuse":
        yield {{"type": "error", "message": "I will not say."}}
    elif asked == "forever":
        try:
            while True:
                yield "on "
                await asyncio.sleep(0.01)
        finally:
            open("{stopped}", "w").close()
    else:
        yield {{"type": "thought", "data": "Hm."}}
        yield f"{{model}} at {{temperature}}: {{asked}}"

await server.serve()
"""


ONE_AT_A_TIME = """
import os
import time

from hanzo_live import HanzoLiveServer

server = HanzoLiveServer(port={port}, multiplexing=False, max_concurrent_streams=1)

@server.on_stream
def handle(messages):
    yield "begun"
    while not os.path.exists(messages[-1]["content"]):
        time.sleep(0.01)
    yield ", over"

await server.serve()
"""


WITHOUT_HANDLER = """
import openai

from hanzo_live import HanzoLiveServer

client = openai.OpenAI(base_url="{node}/v1", api_key="none")
await HanzoLiveServer(hanzo_client=client, port={port}).serve()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("program")


@pytest.fixture(scope="module")
def serve(place: Path) -> Iterator[Serve]:
    source = PROGRAM.format(port=free_port(), stopped=place / "stopped")
    with program(place, source, NODE_RETRIES="0") as made:
        yield made


@pytest.fixture
def client(serve: Serve) -> Iterator[HanzoLiveClient]:
    with HanzoLiveClient(serve.url) as made:
        yield made


def test_a_handler_gets_the_request_and_its_thoughts_are_thoughts(client: HanzoLiveClient) -> None:
    stream = client.stream(content="Hello", model="ours", temperature=0.5, show_thoughts=True)
    assert stream.text() == "ours at 0.5: Hello"
    assert stream.state.thoughts == ["Hm."]


def test_two_that_block_do_not_wait_for_each_other(client: HanzoLiveClient) -> None:
    streams = [client.stream(content="meet", model="ours") for _ in range(2)]
    assert [stream.text() for stream in streams] == ["met", "met"]


def test_a_handler_that_fails_is_told_without_its_secrets(client: HanzoLiveClient, serve: Serve) -> None:
    with pytest.raises(HanzoLiveError) as caught:
        client.stream(content="fail", model="ours").text()
    assert caught.value.code == "NODE_ERROR"
    assert "secret" not in caught.value.message
    until(lambda: "the secret reason" in serve.text, "the operator reads it")


def test_a_handler_says_itself_what_is_wrong(client: HanzoLiveClient) -> None:
    with pytest.raises(HanzoLiveError, match="I will not say"):
        client.stream(content="refuse", model="ours").text()


def test_a_stop_reaches_the_handler(client: HanzoLiveClient, place: Path) -> None:
    stream = client.stream(content="forever", model="ours")
    next(stream.tokens())
    stream.stop()
    assert stream.text().startswith("on ")
    until((place / "stopped").exists, "the handler has ended", PATIENCE_S)


def test_a_handler_that_blocks_keeps_its_place_until_it_ends_though_nobody_reads_it(tmp_path: Path) -> None:
    gate, opened = tmp_path / "gate", tmp_path
    with (
        program(tmp_path, ONE_AT_A_TIME.format(port=free_port()), NODE_RETRIES="0") as serve,
        HanzoLiveClient(serve.url) as one,
        HanzoLiveClient(serve.url) as two,
    ):
        first = one.stream(content=str(gate))
        assert next(first.tokens()) == "begun"
        with pytest.raises(HanzoLiveError, match="One socket may have 1 stream"):
            one.stream(content=str(opened)).text()
        assert "places are taken" in refusal(two, str(opened))
        first.stop()
        assert first.text() == "begun"
        assert "places are taken" in refusal(two, str(opened))

        gate.touch()
        until(lambda: answer(two, str(opened)) == "begun, over", "its place is free", PATIENCE_S)


def refusal(client: HanzoLiveClient, content: str) -> str:
    with pytest.raises(HanzoLiveError) as caught:
        client.stream(content=content).text()
    return caught.value.message


def answer(client: HanzoLiveClient, content: str) -> str | None:
    try:
        return client.stream(content=content).text()
    except HanzoLiveError:
        return None


@pytest.fixture(scope="module")
def asks_a_client(node_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    source = WITHOUT_HANDLER.format(node=node_url, port=free_port())
    with program(tmp_path_factory.mktemp("client"), source, NODE_RETRIES="0") as made:
        yield made


def test_without_a_handler_the_client_of_openai_is_asked(asks_a_client: Serve, node_url: str, prompt: str) -> None:
    node = Node(node_url)
    with HanzoLiveClient(asks_a_client.url) as client:
        stream = client.stream(content=prompt, model="script-thoughts", temperature=0.5, show_thoughts=True)
        assert stream.text() == node.said(prompt)
        assert stream.state.thoughts
        assert node.requests(prompt)[-1]["options"]["temperature"] == 0.5

        tool = {"name": "ours", "description": "Ours", "parameters": {"type": "object", "properties": {}}}
        asking = client.stream(content=f"{prompt} with a tool", model="script-tools@tool=ours", tools=[tool])
        for event in asking:
            if event.type == "tool_call" and event.status == "awaiting_client":
                client.answer_tool(event.stream, event.call, "what it gave")
        assert "what it gave" in asking.text()

        with pytest.raises(HanzoLiveError) as caught:
            client.stream(content=prompt, model="script-error-midway").text()
        assert caught.value.code == "NODE_ERROR"

        left = client.stream(content=f"{prompt} for ever", model="script-slow@rate=40,tokens=4000")
        next(left.tokens())
        left.stop()
        assert left.text()
    until(lambda: node.requests(f"{prompt} for ever")[-1]["state"] == "cancelled", "the node is told", PATIENCE_S)


def test_a_client_of_asyncio_is_refused_in_words() -> None:
    async def create(**_: object) -> None: ...

    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    with pytest.raises(HandlerFailed, match="asyncio"):
        list(handler_of(client)([], "any"))


def test_without_anybody_to_answer_it_says_so() -> None:
    import asyncio

    from hanzo_live import HanzoLiveServer

    with pytest.raises(HanzoLiveError, match="on_stream"):
        asyncio.run(HanzoLiveServer().serve())
    assert not any(thread.name == "hanzo-live-node" for thread in threading.enumerate())
