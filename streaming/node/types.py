"""What a caller gives the node client, and what it learns about a node. Values only; nothing here talks to anyone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class NodeKind(StrEnum):
    """Which engine is behind the URL. `auto` asks it once; `openai` is the plain OpenAI API and the fallback."""

    AUTO = "auto"
    HANZO_ENGINE = "hanzo-engine"
    HANZO_NODE = "hanzo-node"
    HANZO_CLOUD = "hanzo-cloud"
    LLAMACPP = "llamacpp"
    LITELLM = "litellm"
    LM_STUDIO = "lmstudio"
    OLLAMA = "ollama"
    OPENAI = "openai"
    SCRIPTED = "scripted"
    SGLANG = "sglang"
    VLLM = "vllm"


@dataclass(frozen=True, slots=True)
class NodeTimeouts:
    """Three waits, in seconds, each told apart when it ends: to connect, for the first byte, between later bytes.

    A keep-alive comment is a byte: a node that says it is still there is waited for. None waits for ever.
    """

    connect: float | None = 5.0
    first_byte: float | None = 120.0
    idle: float | None = 60.0


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """Where a node is. `url` may end in `/v1` or not; `kind` may be any of `NodeKind`'s values.

    A `direct` one is asked without the proxy that the environment may name; one on loopback always is.
    """

    url: str
    kind: str = NodeKind.AUTO
    api_key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeouts: NodeTimeouts = field(default_factory=NodeTimeouts)
    direct: bool = False


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question, in OpenAI's shape. What is None is not sent.

    `continue_text` asks the node to go on after that text, as if it had written it; only for a node whose
    `can_continue` is true. `extra` is sent as it is, last. `id` is sent as `X-Request-Id`, by which the node's own log
    can be read beside ours.
    """

    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: str | Sequence[str] | None = None
    seed: int | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: str | Mapping[str, Any] | None = None
    continue_text: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True, slots=True)
class NodeModel:
    """A model that a node offers.

    `context_length` is what one request may use (llama.cpp divides its context among its slots), None where the
    node does not tell. `ready` is false while the node says that it is not loaded.
    """

    id: str
    name: str
    context_length: int | None = None
    ready: bool = True
    owned_by: str = ""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """Whether a node answers, and in one sentence for a person what is wrong when it does not."""

    ok: bool
    message: str
    latency_ms: float
