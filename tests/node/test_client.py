"""The node client against the scripted node: a real server, real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
import uvloop

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzolive.nodes.scripted import expected_text, expected_thoughts
from streaming.node import (
    ChatRequest,
    ChatStream,
    Finish,
    NodeClient,
    NodeConfig,
    NodeEvent,
    NodeKind,
    NodeTimeouts,
    Text,
    Thought,
    ToolCallDelta,
    Usage,
)

from .conftest import Node
from .normal import normal, text_of

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What of the sea, naïve one?"}]


async def ask(
    node: Node, model: str, timeouts: NodeTimeouts | None = None, messages: list[dict[str, Any]] | None = None
) -> list[NodeEvent]:
    async with NodeClient(node.config()) as client:
        return [event async for event in client.chat(ChatRequest(model, messages or ASK), timeouts)]


async def failure_of(node: Node, model: str, timeouts: NodeTimeouts | None = None) -> tuple[str, LiveError]:
    """The text before the failure, and the failure."""
    events: list[NodeEvent] = []
    async with NodeClient(node.config()) as client:
        with pytest.raises(LiveError) as caught:  # noqa: PT012 - it fails in the middle of the loop
            async for event in client.chat(ChatRequest(model, ASK), timeouts):
                events.append(event)
    return text_of(events), caught.value


@pytest.mark.parametrize(
    "model", ["script-fast", "script-echo", "script-10k", "script-slow@rate=2500.5", "script-fast@split=7,comments=1"]
)
async def test_it_reads_a_whole_answer(node: Node, model: str) -> None:
    events = await ask(node, model)
    assert text_of(events) == expected_text(model, ASK)
    assert events[-1] == Finish("stop")
    assert isinstance(events[-2], Usage)
    assert not events[-2].estimated
    [request] = node.log()
    assert request["state"] == "complete"
    assert request["options"]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("model", ["script-thoughts", "script-think-tags", "script-thoughts@reasoning=reasoning"])
async def test_it_tells_thoughts_from_the_answer(node: Node, model: str) -> None:
    events = await ask(node, model)
    assert text_of(events) == expected_text(model, ASK)
    assert "".join(e.data for e in events if isinstance(e, Thought)) == expected_thoughts(model, ASK)
    assert not any(isinstance(e, Text) and "think>" in e.data for e in events)


async def test_it_reads_tool_calls_and_goes_on_with_their_results(node: Node) -> None:
    called = normal(await ask(node, "script-tools@calls=2"))
    assert [event[0] for event in called] == ["tool_call", "tool_call", "usage", "finish"]
    assert called[-1] == ["finish", "tool_calls"]
    _, _, id, name, args = called[0]
    assert (name, args) == ("lookup", '{"query":"What of the sea, naïve one?"}')
    function = {"name": name, "arguments": args}
    answered = await ask(
        node,
        "script-tools",
        messages=[
            *ASK,
            {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": id, "content": "It is wet."},
        ],
    )
    assert text_of(answered) == "The tool said: It is wet."


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("script-error-midway", ErrorCode.NODE_ERROR),
        ("script-error-raw", ErrorCode.NODE_ERROR),
        ("script-cut", ErrorCode.STREAM_INTERRUPTED),
        ("script-cancelled", ErrorCode.STREAM_INTERRUPTED),
    ],
)
async def test_what_came_before_a_failure_is_delivered(node: Node, model: str, code: ErrorCode) -> None:
    text, failure = await failure_of(node, model)
    assert failure.code == code
    assert failure.retryable
    whole = expected_text(model, ASK)
    assert text
    assert whole.startswith(text)
    assert text != whole


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("script-error-first", ErrorCode.NODE_ERROR),
        ("script-context", ErrorCode.CONTEXT_LENGTH),
        ("script-filter", ErrorCode.CONTENT_FILTERED),
        ("script-busy", ErrorCode.RATE_LIMITED),
        ("script-error-first@status=503", ErrorCode.NODE_UNAVAILABLE),
        ("script-echo@tokens=many", ErrorCode.NODE_ERROR),
    ],
)
async def test_a_refusal_is_told_in_words(node: Node, model: str, code: ErrorCode) -> None:
    text, failure = await failure_of(node, model)
    assert (text, failure.code) == ("", code)
    assert len(failure.message) > 20


async def test_silence_before_the_first_byte_and_later_are_told_apart(node: Node) -> None:
    _, failure = await failure_of(node, "script-silent", NodeTimeouts(5, 0.1, 30))
    assert failure.code == ErrorCode.NODE_TIMEOUT
    assert "said nothing for 0.1 s" in failure.message
    text, failure = await failure_of(node, "script-stall", NodeTimeouts(5, 30, 0.1))
    assert failure.code == ErrorCode.NODE_TIMEOUT
    assert "fell silent for 0.1 s" in failure.message
    assert text
    assert [request["state"] for request in node.log()] == ["cancelled", "cancelled"]


async def test_a_slow_start_is_no_silence_in_the_middle(node: Node) -> None:
    events = await ask(node, "script-fast@first_ms=300,tokens=3", NodeTimeouts(5, 10, 0.1))
    assert events[-1] == Finish("stop")


async def test_a_keep_alive_comment_is_a_sign_of_life(node: Node) -> None:
    model = "script-slow@rate=10,tokens=4,comments=1"
    assert text_of(await ask(node, model, NodeTimeouts(5, 5, 1))) == expected_text(model, ASK)


async def test_it_asks_without_usage_where_the_field_is_refused_and_remembers(node: Node) -> None:
    async with NodeClient(node.config()) as client:
        for _ in range(2):
            events = [event async for event in client.chat(ChatRequest("script-refuse-usage", ASK))]
            assert isinstance(events[-2], Usage)
            assert events[-2].estimated
            assert 32 <= events[-2].completion_tokens <= 128  # 64 were said
    assert ["stream_options" in request["options"] for request in node.log()] == [True, False, False]


async def test_it_asks_a_node_that_does_not_stream_for_the_whole(node: Node) -> None:
    async with NodeClient(node.config()) as client, client.chat(ChatRequest("script-no-stream", ASK)) as stream:
        assert stream.streamed
        events = [event async for event in stream]
        assert not stream.streamed
    assert text_of(events) == expected_text("script-no-stream", ASK)
    assert [request["stream"] for request in node.log()] == [True, False]


async def test_the_streams_model_and_usage_are_known_while_it_runs(node: Node) -> None:
    async with NodeClient(node.config()) as client, client.chat(ChatRequest("script-stall", ASK)) as stream:
        await anext(stream)
        assert stream.model == "script-stall"
        assert stream.usage.estimated
        assert stream.usage.completion_tokens > 0


async def asked(node: Node) -> None:
    """Until the node has a request in hand."""
    async with httpx.AsyncClient() as http:
        while not (await http.get(node.url + "/script/log")).json()["running"]:
            pass


async def _read_all(stream: ChatStream) -> list[NodeEvent]:
    return [event async for event in stream]


async def test_leaving_the_stream_closes_the_nodes_connection(node: Node) -> None:
    async with NodeClient(node.config()) as client:
        async with client.chat(ChatRequest("script-slow@rate=200,tokens=100000", ASK)) as stream:
            await anext(stream)
        [request] = node.log()
        assert request["state"] == "cancelled"
        assert 0 < request["tokens"] < 1000


async def test_cancelling_the_reader_closes_the_nodes_connection(node: Node) -> None:
    began = asyncio.Event()

    async def read(client: NodeClient) -> None:
        async for _ in client.chat(ChatRequest("script-stall", ASK)):
            began.set()

    async with NodeClient(node.config()) as client:
        task = asyncio.create_task(read(client))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [request["state"] for request in node.log()] == ["cancelled"]


@pytest.mark.parametrize("model", ["script-stall", "script-silent"])
async def test_another_task_can_close_the_stream_under_its_reader(node: Node, model: str) -> None:
    async with NodeClient(node.config()) as client:
        stream = client.chat(ChatRequest(model, ASK))
        reader = asyncio.create_task(_read_all(stream))
        await asked(node)
        await stream.aclose()
        assert not any(isinstance(event, Finish) for event in await reader)
        await stream.aclose()
        assert [request["state"] for request in node.log()] == ["cancelled"]


async def test_it_continues_a_text_only_where_the_node_does(node: Node) -> None:
    whole = expected_text("script-continue", ASK)
    async with NodeClient(node.config()) as client:
        assert await client.can_continue("script-continue")
        assert not await client.can_continue("script-fast")
        request = ChatRequest("script-continue", ASK, continue_text=whole[:100])
        rest = text_of([event async for event in client.chat(request)])
        assert whole[:100] + rest == whole
        with pytest.raises(LiveError, match="not known to continue"):
            await anext(client.chat(ChatRequest("script-fast", ASK, continue_text="The")))


async def test_it_never_forwards_a_conversation_id(node: Node) -> None:
    headers = {"X-Conversation-Id": "42", "X-Team": "blue"}
    async with NodeClient(node.config(headers=headers)) as client:
        assert [event async for event in client.chat(ChatRequest("script-echo", ASK))]
    [request] = node.log()
    assert "x-conversation-id" not in request["headers"]
    assert request["headers"]["x-team"] == "blue"


async def test_it_knows_the_node_its_models_and_its_health(node: Node) -> None:
    async with NodeClient(node.config()) as client:
        assert await client.kind() == NodeKind.SCRIPTED
        models = {model.id: model for model in await client.models()}
        assert models["script-fast"].context_length == 32_768
        health = await client.health()
        assert health.ok
        assert node.url in health.message


async def test_the_key_is_sent_and_a_wrong_one_is_told(locked_node: Node) -> None:
    async with NodeClient(locked_node.config(api_key="sesame")) as client:
        events = [event async for event in client.chat(ChatRequest("gpt-4", ASK))]
        assert {e.index for e in events if isinstance(e, ToolCallDelta)} == {0, 1}
    async with NodeClient(locked_node.config(api_key="open")) as client:
        with pytest.raises(LiveError, match="NODE_API_KEY") as caught:
            await anext(client.chat(ChatRequest("gpt-4", ASK)))
        assert not caught.value.retryable
    assert "sesame" not in str(locked_node.log())


async def test_many_streams_run_at_once_on_one_client(node: Node) -> None:
    model = "script-slow@rate=500,tokens=50"

    async def one(client: NodeClient, number: int) -> bool:
        messages = [{"role": "user", "content": f"Question {number}"}]
        events = [event async for event in client.chat(ChatRequest(model, messages))]
        return text_of(events) == expected_text(model, messages)

    async with NodeClient(node.config()) as client:
        assert all(await asyncio.gather(*(one(client, number) for number in range(40))))


def test_it_runs_on_uvloop_as_well(node: Node) -> None:
    async def scenario() -> None:
        async with NodeClient(node.config()) as client:
            for model in ("script-fast", "script-10k"):
                events = [event async for event in client.chat(ChatRequest(model, ASK))]
                assert text_of(events) == expected_text(model, ASK)
            async with client.chat(ChatRequest("script-stall", ASK)) as stream:
                await anext(stream)

    uvloop.run(scenario())
    assert [request["state"] for request in node.log()] == ["complete", "complete", "cancelled"]


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://[::1", "http://x:99999"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(LiveError, match="http://localhost:8080"):
        NodeClient(NodeConfig(url))


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(LiveError, match="hanzo-engine"):
        NodeClient(NodeConfig("http://localhost:8080", kind="gpt"))
