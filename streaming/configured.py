"""The nodes that the operator configured, and the names for models: for workers and for the list of models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from django.conf import settings
from pydantic import SecretStr

from streaming.node import NodeClient, NodeKind, NodeTimeouts
from streaming.node.configured import ConfiguredNode, local_node_at
from streaming.runner.routing import Router

# What the node of NODE_URL is called.
ONLY_NODE = "default"


def configured_nodes() -> tuple[ConfiguredNode, ...]:
    """The nodes of NODES; where that is empty the one of NODE_URL."""
    return settings.NODES or (
        ConfiguredNode(
            name=ONLY_NODE,
            url=settings.NODE_URL,
            kind=NodeKind(settings.NODE_KIND),
            key=SecretStr(settings.NODE_API_KEY),
        ),
    )


def require_local_node(url: str) -> None:
    """Raises LiveError `forbidden` for a node that a client may not name."""
    local_node_at(url, configured_nodes())


def node_client(node: ConfiguredNode) -> NodeClient:
    """A client of the node, to be used as `async with`."""
    timeouts = NodeTimeouts(settings.NODE_CONNECT_TIMEOUT, settings.NODE_FIRST_BYTE_TIMEOUT, settings.NODE_IDLE_TIMEOUT)
    return NodeClient(node.config(timeouts))


@asynccontextmanager
async def node_router() -> AsyncIterator[Router]:
    """A router to the configured nodes, with a client of each; all are closed at the end."""
    async with AsyncExitStack() as clients:
        nodes = [(node, await clients.enter_async_context(node_client(node))) for node in configured_nodes()]
        yield Router(nodes, default=settings.NODE_MODEL, aliases=model_aliases())


def model_aliases() -> dict[str, str]:
    """The name on every node for each name that the operator maps (NODE_MODEL_ALIASES)."""
    pairs = (pair.partition("=") for pair in settings.NODE_MODEL_ALIASES)
    return {name.strip(): model.strip() for name, _, model in pairs}
