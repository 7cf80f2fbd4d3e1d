"""The node that the operator configured, as a client: for workers and for the list of models."""

from __future__ import annotations

from django.conf import settings

from streaming.node import NodeClient, NodeConfig, NodeTimeouts


def node_client() -> NodeClient:
    """A client of NODE_URL, to be used as `async with`."""
    timeouts = NodeTimeouts(settings.NODE_CONNECT_TIMEOUT, settings.NODE_FIRST_BYTE_TIMEOUT, settings.NODE_IDLE_TIMEOUT)
    return NodeClient(NodeConfig(settings.NODE_URL, settings.NODE_KIND, settings.NODE_API_KEY, timeouts=timeouts))
