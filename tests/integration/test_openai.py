"""The `openai` package, unmodified, against `/v1`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from hanzolive.nodes.scripted import expected_text, expected_thoughts
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Says the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def client_of(stack: Stack, key: str = "") -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{stack.url}/v1", api_key=key or stack.people["Olga"].token, max_retries=0, timeout=60
    )


@pytest.fixture
def client(stack: Stack) -> Iterator[openai.OpenAI]:
    with client_of(stack) as client:
        yield client


def said_by(prompt: str) -> Any:
    return [{"role": "user", "content": prompt}]


def test_it_lists_the_models(client: openai.OpenAI) -> None:
    assert {"script-fast", "script-tools"} <= {model.id for model in client.models.list()}


def test_a_whole_answer(each_server: Stack, prompt: str) -> None:
    with client_of(each_server) as client:
        answer = client.chat.completions.create(
            model="script-fast", messages=said_by(prompt), temperature=0, max_tokens=50
        )
    (choice,) = answer.choices
    assert choice.finish_reason == "length"
    assert choice.message.content == "".join(expected_text("script-fast@tokens=50", said_by(prompt)))
    assert choice.message.role == "assistant"
    assert answer.model == "script-fast"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 50


def test_a_streamed_answer_with_its_usage(each_server: Stack, prompt: str) -> None:
    with client_of(each_server) as client:
        chunks = list(
            client.chat.completions.create(
                model="script-fast", messages=said_by(prompt), stream=True, stream_options={"include_usage": True}
            )
        )
    *body, last = chunks
    assert "".join(c.choices[0].delta.content or "" for c in body) == expected_text("script-fast", said_by(prompt))
    assert [c.choices[0].finish_reason for c in body if c.choices[0].finish_reason] == ["stop"]
    assert body[0].choices[0].delta.role == "assistant"
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens == 256
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_streamed_answer_has_no_usage_unasked(client: openai.OpenAI, prompt: str) -> None:
    chunks = list(client.chat.completions.create(model="script-echo", messages=said_by(prompt), stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == prompt


def test_what_is_asked_again_comes_from_the_cache_where_that_is_wanted(each_server: Stack, prompt: str) -> None:
    wanted: Any = {"extra_body": {"cache": {"enabled": True}}, "model": "script-thoughts", "messages": said_by(prompt)}
    with client_of(each_server) as client:
        first, again = client.chat.completions.create(**wanted), client.chat.completions.create(**wanted)
        chunks = list(client.chat.completions.create(**wanted, stream=True, stream_options={"include_usage": True}))
        unasked = client.chat.completions.create(model="script-thoughts", messages=said_by(prompt))
    assert [(each.model_extra or {}).get("cached") for each in (first, again, unasked)] == [None, "exact", None]
    assert (again.choices, again.usage, again.model) == (first.choices, first.usage, first.model)
    thoughts = (again.choices[0].message.model_extra or {})["reasoning_content"]
    assert thoughts == expected_thoughts("script-thoughts", said_by(prompt))
    assert {(chunk.model_extra or {}).get("cached") for chunk in chunks} == {"exact"}
    assert "".join(each.choices[0].delta.content or "" for each in chunks[:-1]) == first.choices[0].message.content
    assert (chunks[-2].choices[0].finish_reason, chunks[-1].usage) == ("stop", first.usage)
    assert len(each_server.node.requests(prompt)) == 2


def test_a_wish_for_the_cache_that_cannot_be_read_is_refused(client: openai.OpenAI, prompt: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="script-echo", messages=said_by(prompt), extra_body={"cache": {"ttl": "long"}}
        )
    assert refused.value.param == "cache.ttl"


def test_it_calls_tools_whole_and_streamed(client: openai.OpenAI, prompt: str) -> None:
    whole = client.chat.completions.create(model="script-tools", messages=said_by(prompt), tools=[WEATHER])
    assert whole.choices[0].finish_reason == "tool_calls"
    (call,) = whole.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": prompt})
    pieces: dict[int, str] = {}
    finish = None
    for chunk in client.chat.completions.create(
        model="script-tools", messages=said_by(prompt), tools=[WEATHER], stream=True
    ):
        for delta in chunk.choices[0].delta.tool_calls or []:
            assert delta.function is not None
            pieces[delta.index] = pieces.get(delta.index, "") + (delta.function.arguments or "")
        finish = chunk.choices[0].finish_reason or finish
    assert {index: json.loads(text) for index, text in pieces.items()} == {0: {"city": prompt}}
    assert finish == "tool_calls"


def test_a_tools_result_goes_back_to_the_model(client: openai.OpenAI, prompt: str) -> None:
    asked = client.chat.completions.create(model="script-tools", messages=said_by(prompt), tools=[WEATHER])
    message = asked.choices[0].message
    (call,) = message.tool_calls or []
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "It rains."}
    conversation: Any = [*said_by(prompt), message, result]
    answer = client.chat.completions.create(model="script-tools", messages=conversation, tools=[WEATHER])
    assert answer.choices[0].message.content == "The tool said: It rains."


def test_a_wrong_key_is_an_authentication_error(stack: Stack, prompt: str) -> None:
    with client_of(stack, "hl_wrong") as client:
        for call in (
            lambda: client.models.list(),
            lambda: client.chat.completions.create(model="script-echo", messages=said_by(prompt)),
        ):
            with pytest.raises(openai.AuthenticationError) as refused:
                call()
            assert refused.value.status_code == 401
    assert refused.value.code == "unauthenticated"
    assert refused.value.type == "authentication_error"


@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("script-error-first", openai.InternalServerError, "node_error"),
        ("script-context", openai.BadRequestError, "context_length_exceeded"),
        ("script-busy", openai.RateLimitError, "rate_limited"),
        ("script-filter", openai.UnprocessableEntityError, "content_filtered"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_failure_before_the_first_token_has_its_status(
    client: openai.OpenAI, prompt: str, model: str, error: type[openai.APIStatusError], code: str, stream: bool
) -> None:
    with pytest.raises(error) as failed:
        client.chat.completions.create(model=model, messages=said_by(prompt), stream=stream)
    assert failed.value.code == code
    assert failed.value.body is not None


def test_a_failure_in_the_middle_of_a_stream_is_raised_there(client: openai.OpenAI, prompt: str) -> None:
    chunks = client.chat.completions.create(model="script-error-midway", messages=said_by(prompt), stream=True)
    text: list[str] = []
    with pytest.raises(openai.APIError) as failed:
        text.extend(chunk.choices[0].delta.content or "" for chunk in chunks)
    # It is begun again, which nobody can be told who was sent a part of it.
    assert failed.value.code == "stream_interrupted"
    assert "".join(text)
    assert expected_text("script-error-midway", said_by(prompt)).startswith("".join(text))


def test_what_openai_refuses_is_refused(client: openai.OpenAI, prompt: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="script-echo", messages=[])
    assert refused.value.param == "messages"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="script-echo", messages=said_by(prompt), n=3)


def test_a_node_that_is_not_the_operators_is_refused_and_the_route_is_heard(
    client: openai.OpenAI, stack: Stack, prompt: str
) -> None:
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.chat.completions.create(
            model="script-echo",
            messages=said_by(prompt),
            extra_body={"route": {"local_node_url": "http://169.254.169.254"}},
        )
    assert refused.value.param == "route.local_node_url"
    assert stack.node.requests(prompt) == []
    answer = client.chat.completions.create(
        model="script-echo", messages=said_by(prompt), extra_body={"route": {"local_node_url": stack.node.url}}
    )
    assert answer.choices[0].message.content == prompt


async def test_closing_the_response_stops_the_node(each_server: Stack, prompt: str) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{each_server.url}/v1", api_key=each_server.people["Olga"].token, max_retries=0
    ) as client:
        answer = await client.chat.completions.create(
            model="script-slow@rate=50,tokens=100000", messages=said_by(prompt), stream=True
        )
        text = ""
        async for chunk in answer:
            text += chunk.choices[0].delta.content or ""
            if text.count(" ") > 5:
                break
        await answer.close()
        asked = await each_server.node.ended(prompt)
    assert asked["state"] == "cancelled"


async def test_giving_up_on_a_whole_answer_stops_the_node(stack: Stack, prompt: str) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{stack.url}/v1", api_key=stack.people["Olga"].token, max_retries=0
    ) as client:
        asking = asyncio.create_task(
            client.chat.completions.create(model="script-slow@rate=50,tokens=100000", messages=said_by(prompt))
        )

        while not await asyncio.to_thread(stack.node.requests, prompt):
            assert not asking.done()
        asking.cancel()
        asked = await stack.node.ended(prompt)
    assert asked["state"] == "cancelled"
