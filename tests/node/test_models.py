"""What a node is and offers, told from what engines that cannot run here answer (written from their sources)."""

from __future__ import annotations

from typing import Any

import pytest

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.node import ChatRequest, NodeClient, NodeConfig, NodeKind

from .raw import canned


def listed(**entry: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, **entry}]}


@pytest.mark.parametrize(
    ("answers", "server", "kind", "context", "continues"),
    [
        ({"/v1/models": listed(owned_by="vllm", max_model_len=4096)}, "uvicorn", NodeKind.VLLM, 4096, True),
        ({"/v1/models": listed(owned_by="sglang", max_model_len=8192)}, "uvicorn", NodeKind.SGLANG, 8192, True),
        ({"/v1/models": listed(owned_by="llamacpp", meta={"n_ctx": 2048, "n_ctx_train": 8192})}, "", NodeKind.LLAMACPP, 2048, True),
        (
            {"/v1/models": listed(meta={"n_ctx_train": 8192}), "/props": {"default_generation_settings": {"n_ctx": 512}}},
            "llama.cpp", NodeKind.LLAMACPP, 512, True,
        ),
        ({"/v1/models": listed(owned_by="library"), "/api/version": {"version": "0.9"}}, "", NodeKind.OLLAMA, None, False),
        ({"/v1/models": listed(owned_by="me"), "/api/version": {"version": "0.9"}}, "", NodeKind.OLLAMA, None, False),
        ({"/v1/models": listed(owned_by="organization_owner")}, "", NodeKind.LM_STUDIO, None, False),
        ({"/v1/models": listed(owned_by="local", status="loaded")}, "", NodeKind.HANZO_ENGINE, None, False),
        ({"/v1/models": listed(), "/v2/health_check": {"is_pristine": False}}, "", NodeKind.HANZO_NODE, None, False),
        ({"/v1/models": listed(owned_by="openai"), "/health/liveliness": "page"}, "", NodeKind.OPENAI, None, False),
        ({"/v1/models": listed(owned_by="openai"), "/health/liveliness": ["I'm alive!"]}, "", NodeKind.LITELLM, None, False),
    ],
)  # fmt: skip
async def test_it_tells_the_engine_its_context_and_whether_it_continues(
    answers: dict[str, object], server: str, kind: NodeKind, context: int | None, continues: bool
) -> None:
    async with canned(answers, server) as url, NodeClient(NodeConfig(url)) as client:
        assert await client.kind() == kind
        [model] = await client.models()
        assert (model.id, model.context_length, model.ready) == ("m", context, True)
        assert await client.can_continue("m") is continues
        assert (await client.health()).ok


async def test_a_model_that_is_not_loaded_is_not_ready() -> None:
    models = {"data": [{"id": "a", "status": "unloaded"}, {"id": "b", "status": "loaded"}, {"id": 7}, "c"]}
    async with canned({"/v1/models": models}) as url, NodeClient(NodeConfig(url)) as client:
        assert [(model.id, model.ready) for model in await client.models()] == [("a", False), ("b", True)]


async def test_vllm_is_asked_to_continue_in_its_own_words() -> None:
    whole = {"choices": [{"message": {"content": " is Paris."}, "finish_reason": "stop"}]}
    bodies: list[object] = []
    answers = {"/v1/chat/completions": whole}
    async with canned(answers, bodies=bodies) as url, NodeClient(NodeConfig(url, kind="vllm")) as client:
        ask = ChatRequest("m", [{"role": "user", "content": "Capital?"}], continue_text="It", extra={"top_k": 1})
        [event async for event in client.chat(ask)]
    [body] = bodies
    assert isinstance(body, dict)
    assert body["messages"][-1] == {"role": "assistant", "content": "It"}
    assert (body["continue_final_message"], body["add_generation_prompt"], body["top_k"]) == (True, False, 1)


async def test_a_configured_kind_is_not_asked_for() -> None:
    async with NodeClient(NodeConfig("http://127.0.0.1:9", kind="llamacpp")) as client:
        assert await client.can_continue("m")


async def test_a_web_site_is_no_node() -> None:
    async with canned({"*": "<html>Welcome</html>"}) as url, NodeClient(NodeConfig(url)) as client:
        with pytest.raises(LiveError, match="not an OpenAI-compatible node") as caught:
            await client.models()
        assert caught.value.code == ErrorCode.NODE_ERROR
        assert await client.kind() == NodeKind.OPENAI
        health = await client.health()
        assert not health.ok
        assert "NODE_URL" in health.message
