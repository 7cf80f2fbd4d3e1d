"""What a node is and offers: its kind, its models with their context, its health, and whether it can continue a text.

Asked with small GETs that every engine answers or refuses harmlessly; nothing is generated.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from hanzo_live.protocol.errors import ErrorCode, LiveError

from .http import NodeHTTP
from .refusals import Refusal, error_of
from .types import NodeHealth, NodeKind, NodeModel, NodeTimeouts

# The request fields with which an engine goes on after a last assistant message instead of answering it.
_CONTINUATION: dict[NodeKind, dict[str, Any]] = {
    NodeKind.LLAMACPP: {},
    NodeKind.SCRIPTED: {},
    NodeKind.SGLANG: {"continue_final_message": True},
    NodeKind.VLLM: {"continue_final_message": True, "add_generation_prompt": False},
}

_OWNERS = {
    "hanzo-live-script": NodeKind.SCRIPTED,
    "library": NodeKind.OLLAMA,
    "llamacpp": NodeKind.LLAMACPP,
    "organization_owner": NodeKind.LM_STUDIO,
    "sglang": NodeKind.SGLANG,
    "vllm": NodeKind.VLLM,
}

# Where one GET tells the engine. A node of many owners (Ollama, LiteLLM) is known by its own paths alone.
_PROBES = (
    ("/v2/health_check", NodeKind.HANZO_NODE),
    ("/api/version", NodeKind.OLLAMA),
    ("/health/liveliness", NodeKind.LITELLM),
)

_HEALTH_PATHS = {NodeKind.HANZO_NODE: "/v2/health_check", NodeKind.OLLAMA: "/api/version"}


def continuation(kind: NodeKind, model: str) -> dict[str, Any] | None:
    """The fields that make this engine continue a text, or None where it cannot be trusted to: it would repeat it."""
    if kind == NodeKind.SCRIPTED and not model.startswith("script-continue"):
        return None
    return _CONTINUATION.get(kind)


async def list_models(http: NodeHTTP, timeouts: NodeTimeouts) -> tuple[list[NodeModel], NodeKind | None]:
    """The node's models, and its kind where the list tells. Raises LiveError where it gives none."""
    status, body, headers = await http.get_json("/v1/models", timeouts)
    if status != 200:
        raise error_of(Refusal(body if body is not None else "", status), headers)
    data = body.get("data") if isinstance(body, dict) else body
    if not isinstance(data, list):
        raise LiveError(
            ErrorCode.NODE_ERROR,
            f"{http.base}/v1/models gave no list of models: NODE_URL is not an OpenAI-compatible node.",
            retryable=False,
        )
    entries = [entry for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    kind = _kind_of_list(http, entries, headers)
    models = [_model(entry) for entry in entries]
    if kind == NodeKind.LLAMACPP and any(model.context_length is None for model in models):
        models = await _with_props(http, timeouts, models)
    return models, kind


async def detect_kind(http: NodeHTTP, timeouts: NodeTimeouts) -> NodeKind:
    """Which engine it is; `openai` where nothing tells. Raises LiveError where nothing answers at all."""
    if is_hanzo_cloud(http.base):
        return NodeKind.HANZO_CLOUD
    try:
        _, kind = await list_models(http, timeouts)
        if kind is not None:
            return kind
    except LiveError as error:
        if error.code in (ErrorCode.NODE_UNAVAILABLE, ErrorCode.NODE_TIMEOUT):
            raise
    for path, kind in _PROBES:
        status, body, _ = await http.get_json(path, timeouts)
        # Some servers answer every path with a page: only JSON counts.
        if status == 200 and body is not None:
            return kind
    return NodeKind.OPENAI


async def check_health(http: NodeHTTP, kind: NodeKind | None, timeouts: NodeTimeouts) -> NodeHealth:
    """Whether the node answers. Never raises LiveError: the sentence is in the result."""
    path = _HEALTH_PATHS.get(kind or NodeKind.AUTO, "/health")
    began = time.perf_counter()

    def told(ok: bool, message: str) -> NodeHealth:
        return NodeHealth(ok, message, round((time.perf_counter() - began) * 1000, 1))

    try:
        status, body, headers = await http.get_json(path, timeouts)
        # "OK" as plain text is an answer (Hanzo engine); a web page is some other server's.
        if status == 200 and "html" not in headers.get("content-type", ""):
            return told(True, f"The node at {http.base} answers.")
        if status >= 500:
            return told(False, error_of(Refusal(body if body is not None else "", status)).message)
        # No such path (OpenAI, LM Studio, a gateway): the list of models is the health check.
        await list_models(http, timeouts)
    except LiveError as error:
        return told(False, f"{http.base}: {error.message}")  # for the operator, who needs the address
    return told(True, f"The node at {http.base} answers.")


def probe_timeouts(timeouts: NodeTimeouts) -> NodeTimeouts:
    """For questions that need no generation: seconds, not minutes."""
    wait = min(10.0, timeouts.first_byte or 10.0)
    return replace(timeouts, first_byte=wait, idle=wait)


def _kind_of_list(http: NodeHTTP, entries: list[dict[str, Any]], headers: httpx.Headers) -> NodeKind | None:
    if is_hanzo_cloud(http.base):
        return NodeKind.HANZO_CLOUD
    if "llama.cpp" in headers.get("server", ""):
        return NodeKind.LLAMACPP
    for entry in entries:
        if kind := _OWNERS.get(str(entry.get("owned_by", "")).lower()):
            return kind
        # The engine lists loading states, and itself as the owner "local".
        if entry.get("status") in ("loaded", "unloaded", "reloading") or entry.get("owned_by") == "local":
            return NodeKind.HANZO_ENGINE
    return None


def _model(entry: dict[str, Any]) -> NodeModel:
    meta = entry.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    tags = entry.get("tags")
    told = next((tag for tag in tags if isinstance(tag, str) and tag), "") if isinstance(tags, list) else ""
    name = next((v for v in (entry.get("name"), entry.get("display_name"), told) if isinstance(v, str) and v), "")
    context = next(
        (
            value
            for value in (
                entry.get("max_model_len"),  # vLLM, SGLang
                meta.get("n_ctx"),  # llama.cpp: of one slot
                entry.get("context_length"),
                entry.get("context_window"),
                entry.get("loaded_context_length"),
                entry.get("max_context_length"),  # LM Studio
                entry.get("max_seq_len"),
            )
            if isinstance(value, int) and value > 0
        ),
        None,
    )
    status = entry.get("status")
    status = status.get("value") if isinstance(status, dict) else status  # llama.cpp's router nests it
    return NodeModel(
        id=entry["id"][:200],
        name=(name or entry["id"])[:200],
        context_length=context,
        ready=status not in ("unloaded", "reloading", "loading", "failed"),
        owned_by=str(entry.get("owned_by") or "")[:100],
    )


async def _with_props(http: NodeHTTP, timeouts: NodeTimeouts, models: list[NodeModel]) -> list[NodeModel]:
    """Older llama.cpp tells its context in /props only; the figure there is of one slot already."""
    status, body, _ = await http.get_json("/props", timeouts)
    settings = body.get("default_generation_settings") if status == 200 and isinstance(body, dict) else None
    context = settings.get("n_ctx") if isinstance(settings, dict) else None
    if not isinstance(context, int) or context <= 0:
        return models
    return [model if model.context_length else replace(model, context_length=context) for model in models]


def is_hanzo_cloud(base: str) -> bool:
    return (urlsplit(base).hostname or "") in ("api.hanzo.ai", "llm.hanzo.ai")


class KindFinder:
    """Detects a node's kind once, whoever asks first; a failure is not remembered."""

    def __init__(self, http: NodeHTTP, configured: str, timeouts: NodeTimeouts) -> None:
        self._http = http
        self._timeouts = timeouts
        self._lock = asyncio.Lock()
        self.known: NodeKind | None = None if configured == NodeKind.AUTO else NodeKind(configured)

    async def __call__(self) -> NodeKind:
        async with self._lock:
            if self.known is None:
                self.known = await detect_kind(self._http, self._timeouts)
            return self.known
