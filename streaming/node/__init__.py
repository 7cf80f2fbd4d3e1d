"""The node client: every engine's dialect in, one normal form out. A pure library: no Django, no Redis, no settings."""

from .chat import ChatStream
from .client import NodeClient
from .decoder import StreamDecoder
from .events import Finish, FinishReason, NodeEvent, Text, Thought, ToolCallDelta, Usage
from .types import ChatRequest, NodeConfig, NodeHealth, NodeKind, NodeModel, NodeTimeouts

__all__ = [
    "ChatRequest",
    "ChatStream",
    "Finish",
    "FinishReason",
    "NodeClient",
    "NodeConfig",
    "NodeEvent",
    "NodeHealth",
    "NodeKind",
    "NodeModel",
    "NodeTimeouts",
    "StreamDecoder",
    "Text",
    "Thought",
    "ToolCallDelta",
    "Usage",
]
