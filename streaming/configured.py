"""The node that the operator configured, and its names for models: for workers and for the list of models."""

from __future__ import annotations

from django.conf import settings

from streaming.node import NodeClient, NodeConfig, NodeTimeouts


def node_client() -> NodeClient:
    """A client of NODE_URL, to be used as `async with`."""
    timeouts = NodeTimeouts(settings.NODE_CONNECT_TIMEOUT, settings.NODE_FIRST_BYTE_TIMEOUT, settings.NODE_IDLE_TIMEOUT)
    return NodeClient(NodeConfig(settings.NODE_URL, settings.NODE_KIND, settings.NODE_API_KEY, timeouts=timeouts))


def model_aliases() -> dict[str, str]:
    """The node's name for each name that the operator maps (NODE_MODEL_ALIASES)."""
    pairs = (pair.partition("=") for pair in settings.NODE_MODEL_ALIASES)
    return {name.strip(): model.strip() for name, _, model in pairs}
