"""The real small model, in the process that `serve` starts, asked through the node client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzolive.nodes.local import MODEL_ID, MODEL_NAME
from streaming.node import ChatRequest, Finish, NodeClient, NodeConfig, NodeKind, Usage

from .normal import text_of

COMMAND = [sys.executable, "-m", "hanzolive.nodes.local", "--port", "0"]
FRANCE = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]

pytestmark = pytest.mark.real_model


def ready_url(stdout: object) -> str:
    line = next(iter(stdout)).split()  # type: ignore[call-overload]
    assert line[0] == "ready"
    assert line[2] == MODEL_ID
    return str(line[1])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield ready_url(process.stdout)
        process.terminate()
        assert process.wait(5) == -signal.SIGTERM


async def busy_slots(url: str) -> int:
    async with httpx.AsyncClient() as http:
        response = await http.get(url + "/slots", headers={"Connection": "close"})
    return sum(slot["is_processing"] for slot in response.json())


async def test_it_knows_the_capital_of_france(url: str) -> None:
    async with NodeClient(NodeConfig(url)) as client:
        for _ in range(6):  # back to back: its server breaks kept connections now and then
            events = [event async for event in client.chat(ChatRequest(MODEL_ID, FRANCE, max_tokens=40, temperature=0))]
            assert text_of(events) == "The capital of France is Paris."
            assert events[-1] == Finish("stop")
            assert events[-2] == Usage(42, 8, 50, estimated=False)


async def test_it_tells_what_it_is(url: str) -> None:
    async with NodeClient(NodeConfig(url)) as client:
        [model] = await client.models()
        assert (model.id, model.name, model.ready) == (MODEL_ID, MODEL_NAME, True)
        assert model.context_length == 2048  # of one of its four slots
        assert await client.kind() == NodeKind.LLAMACPP
        assert (await client.health()).ok


async def test_it_continues_a_text_without_saying_it_again(url: str) -> None:
    async with NodeClient(NodeConfig(url)) as client:
        assert await client.can_continue(MODEL_ID)
        request = ChatRequest(MODEL_ID, FRANCE, max_tokens=20, temperature=0, continue_text="The capital of France")
        events = [event async for event in client.chat(request)]
    assert text_of(events) == " is Paris."


async def test_closing_the_stream_frees_its_slot(url: str) -> None:
    request = ChatRequest(MODEL_ID, [{"role": "user", "content": "Write a very long story."}], max_tokens=2000)
    async with NodeClient(NodeConfig(url)) as client:
        async with client.chat(request) as stream:
            await anext(stream)
            assert await busy_slots(url) == 1
        while await busy_slots(url):
            pass
        assert stream.usage.estimated


async def test_too_long_a_conversation_is_told(url: str) -> None:
    request = ChatRequest(MODEL_ID, [{"role": "user", "content": "hello " * 3000}])
    async with NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError) as caught:
            await anext(client.chat(request))
    assert caught.value.code == ErrorCode.CONTEXT_LENGTH


def test_it_never_outlives_its_parent() -> None:
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({COMMAND!r}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[0])
        child = os.pidfd_open(pid)
        process.kill()
    try:
        # The file descriptor of a process becomes readable when it has ended.
        import select

        assert select.select([child], [], [], 10)[0]
    finally:
        os.close(child)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*COMMAND[:-1], port], capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
