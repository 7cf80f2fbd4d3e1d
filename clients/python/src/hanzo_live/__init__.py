"""Hanzo Live in Python: the client, and the wire protocol (`hanzo_live.protocol`) that it shares with the server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hanzo_live.async_client import AsyncHanzoLiveClient
    from hanzo_live.async_sse import AsyncHanzoLiveSSE
    from hanzo_live.client import HanzoLiveClient, LiveStream, Watching
    from hanzo_live.core.backoff import Reconnect
    from hanzo_live.core.state import ConnectionState
    from hanzo_live.errors import HanzoLiveError
    from hanzo_live.results import Invited, Sent, StreamCompleted, StreamFailed, StreamStarted
    from hanzo_live.server import HanzoLiveServer
    from hanzo_live.sse import HanzoLiveSSE
    from hanzo_live.stream import AsyncLiveStream
    from hanzo_live.watching import AsyncWatching

__all__ = [
    "AsyncHanzoLiveClient",
    "AsyncHanzoLiveSSE",
    "AsyncLiveStream",
    "AsyncWatching",
    "ConnectionState",
    "HanzoLiveClient",
    "HanzoLiveError",
    "HanzoLiveSSE",
    "HanzoLiveServer",
    "Invited",
    "LiveStream",
    "Reconnect",
    "Sent",
    "StreamCompleted",
    "StreamFailed",
    "StreamStarted",
    "Watching",
]

_WHERE = {
    "AsyncHanzoLiveClient": "async_client",
    "AsyncHanzoLiveSSE": "async_sse",
    "AsyncLiveStream": "stream",
    "AsyncWatching": "watching",
    "ConnectionState": "core.state",
    "HanzoLiveClient": "client",
    "HanzoLiveError": "errors",
    "HanzoLiveSSE": "sse",
    "HanzoLiveServer": "server",
    "Invited": "results",
    "LiveStream": "client",
    "Reconnect": "core.backoff",
    "Sent": "results",
    "StreamCompleted": "results",
    "StreamFailed": "results",
    "StreamStarted": "results",
    "Watching": "client",
}


def __getattr__(name: str) -> Any:
    """The client is imported when it is asked for: the server, which shares the protocol alone, needs none of it."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"hanzo_live.{_WHERE[name]}"), name)
