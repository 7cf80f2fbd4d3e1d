"""The shapes that events, replies, snapshots and REST share: one User, one Message, one of each everywhere.

Not for frames: those are in `commands.py`, `replies.py` and `events.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from hanzo_live.protocol.base import Count, Id, JsonObject, Number, WireModel
from hanzo_live.protocol.errors import ErrorCode

Role: TypeAlias = Literal["owner", "editor", "viewer"]
Overlap: TypeAlias = Literal["queue", "reject", "interrupt"]
StreamStatus: TypeAlias = Literal["queued", "running", "waiting", "recovering", "complete", "stopped", "failed"]
TerminalStatus: TypeAlias = Literal["complete", "stopped", "failed"]
MessageStatus: TypeAlias = Literal["queued", "streaming", "complete", "stopped", "failed"]
MessageRole: TypeAlias = Literal["system", "user", "assistant"]
FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "stopped", "content_filter"]
ToolStatus: TypeAlias = Literal[
    "streaming", "awaiting_approval", "awaiting_client", "running", "complete", "failed", "denied"
]
Phase: TypeAlias = Literal["queued", "waiting", "thinking", "tool", "answering", "recovering"]
PresenceStatus: TypeAlias = Literal["active", "idle"]


def _known_code(code: str) -> str:
    return ErrorCode(code).value


ErrorCodeText: TypeAlias = Annotated[
    str,
    AfterValidator(_known_code),
    WithJsonSchema({"type": "string", "enum": [code.value for code in ErrorCode]}),
]
"""The values of `ErrorCode`: on the wire a code is text."""

TERMINAL_STATUSES: frozenset[str] = frozenset({"complete", "stopped", "failed"})


class User(WireModel):
    """A person, as others see them."""

    example: ClassVar[JsonObject] = {"id": "7b1c6a52-30a5-4b0e-9c3c-0d5f4e1f6a01", "name": "Ada", "avatar": None}

    id: Id = Field(description="Stable id.")
    name: str = Field(max_length=200, description="Name to show.")
    avatar: str | None = Field(max_length=2_000, description="Address of a picture, or null.")


class ConnectedUser(WireModel):
    """Who the server takes this socket for."""

    example: ClassVar[JsonObject] = {**User.example, "anonymous": False}

    id: Id | None = Field(description="Stable id; null for an anonymous caller.")
    name: str = Field(max_length=200, description="Name to show.")
    avatar: str | None = Field(max_length=2_000, description="Address of a picture, or null.")
    anonymous: bool = Field(description="True where no credential was given and the server allows that.")


class Usage(WireModel):
    """Tokens that a stream cost."""

    example: ClassVar[JsonObject] = {
        "prompt_tokens": 31,
        "completion_tokens": 8,
        "total_tokens": 39,
        "estimated": False,
    }

    prompt_tokens: Count = Field(description="Tokens read.")
    completion_tokens: Count = Field(description="Tokens written.")
    total_tokens: Count = Field(description="Both together.")
    estimated: bool = Field(description="True where the node told no usage and the server counted for itself.")


class ToolProgress(WireModel):
    """How far a running tool says it is."""

    example: ClassVar[JsonObject] = {"call": "call_1", "progress": 2.0, "total": 3.0, "message": "Reading page 2 of 3"}

    call: Id = Field(description="The tool call's id.")
    progress: Number = Field(description="As far, in whatever the tool counts.")
    total: Number | None = Field(description="How far it will come, or null where it does not say.")
    message: str | None = Field(max_length=200, description="What it does now, in the tool's words, or null.")


class Message(WireModel):
    """One message of a session, the same in events, snapshots and REST."""

    example: ClassVar[JsonObject] = {
        "id": "0b9f3d0e-5d57-4a0e-8a1b-3f7f1c2d4e01",
        "n": 1,
        "role": "user",
        "content": "What is the capital of France?",
        "parts": [],
        "user": User.example,
        "stream": None,
        "status": "complete",
        "finish_reason": None,
        "key": "c-1",
        "created_at": "2026-11-23T15:04:05.120Z",
    }

    id: Id = Field(description="Stable id.")
    n: Count = Field(description="Number within the session, from 1, in the order of posting.")
    role: MessageRole = Field(description="Who speaks.")
    content: str = Field(description="The text. Empty while its stream runs: the text so far is the stream's.")
    parts: list[JsonObject] = Field(
        description="Its thoughts, tool calls and tool results, in that order; empty where there is only text."
    )
    user: User | None = Field(description="The person who wrote it, or who asked for it; null where nobody did.")
    stream: Id | None = Field(description="The stream that wrote it; null for a person's message, and for a copy.")
    status: MessageStatus = Field(
        description="`queued` or `streaming` until its stream has ended; a person's is `complete`."
    )
    finish_reason: FinishReason | None = Field(description="Why its stream ended; null for a person's or a failed one.")
    key: str | None = Field(max_length=200, description="The sender's idempotency key, or null.")
    created_at: str = Field(description="ISO 8601, UTC.")


class MemberInfo(WireModel):
    """One member of a session."""

    example: ClassVar[JsonObject] = {"user": User.example, "role": "owner"}

    user: User = Field(description="Who.")
    role: Role = Field(description="owner; editor (may prompt, stop, edit the draft); viewer (watches).")


class SessionSettings(WireModel):
    """What an owner may set for a whole session."""

    example: ClassVar[JsonObject] = {"system_prompt": "Answer briefly.", "overlap": "queue"}

    system_prompt: str | None = Field(None, description="What the model is told first.")
    overlap: Overlap | None = Field(None, description="What happens to a prompt while another answer is written.")


class SessionInfo(WireModel):
    """One session, without what differs by viewer."""

    example: ClassVar[JsonObject] = {
        "id": "5f0c9c1e-11d7-4d3b-9c62-7f2a6f0d1c01",
        "slug": "project-brainstorm",
        "title": "Project brainstorm",
        "model": "smollm2-135m",
        "archived": False,
        "settings": SessionSettings.example,
        "created_at": "2026-11-23T15:00:00.000Z",
    }

    id: Id = Field(description="Stable id.")
    slug: str | None = Field(max_length=200, description="Readable name for addresses, or null.")
    title: str = Field(max_length=500, description="Title to show.")
    model: str | None = Field(max_length=200, description="The model asked; null for the server's default.")
    archived: bool = Field(description="True when closed for writing.")
    settings: SessionSettings = Field(description="What its owner set.")
    created_at: str = Field(description="ISO 8601, UTC.")


class SessionChange(WireModel):
    """The fields of a session that changed; those absent did not."""

    example: ClassVar[JsonObject] = {"title": "Launch plan"}

    slug: str | None = Field(None, max_length=200, description="Readable name for addresses, or null.")
    title: str | None = Field(None, max_length=500, description="Title to show.")
    model: str | None = Field(None, max_length=200, description="The model asked; null for the server's default.")
    archived: bool | None = Field(None, description="True when closed for writing.")
    settings: SessionSettings | None = Field(None, description="All settings as they are now.")


class StreamFailure(WireModel):
    """Why a stream failed."""

    example: ClassVar[JsonObject] = {
        "code": "node_unavailable",
        "message": "The inference node does not answer. Check NODE_URL, then try again.",
        "retryable": True,
    }

    code: ErrorCodeText = Field(description="An error code.")
    message: str = Field(description="What happened and what to do next.")
    retryable: bool = Field(description="True where the same request may succeed later.")


class ToolCallState(WireModel):
    """One tool call of a stream, as far as it has come."""

    example: ClassVar[JsonObject] = {
        "call": "call_1",
        "tool": "search_web",
        "args": {"query": "weather in Paris"},
        "args_text": "",
        "status": "complete",
        "user": None,
        "result": {"text": "12 °C"},
        "error": None,
        "duration_ms": 212,
    }

    call: Id = Field(description="Id of the call, unique within its stream.")
    tool: str = Field(max_length=200, description="Name of the tool.")
    args: JsonObject | None = Field(description="The arguments, once whole.")
    args_text: str = Field(description="The arguments' JSON as it has streamed so far; empty once `args` is whole.")
    status: ToolStatus = Field(description="Where the call stands.")
    user: User | None = Field(description="Who approved or denied it, or null.")
    result: Any = Field(description="What the tool gave, or null.")
    error: str | None = Field(description="Why the tool failed, or null.")
    duration_ms: Number | None = Field(description="How long the tool ran, or null.")


class SnapshotStream(WireModel):
    """One stream within a snapshot: the text so far and all that belongs to it."""

    example: ClassVar[JsonObject] = {
        "id": "c3a9d7f0-6d1b-4d0a-8b55-2f1e0a9b7c01",
        "message": "0b9f3d0e-5d57-4a0e-8a1b-3f7f1c2d4e02",
        "status": "running",
        "content": "The capital of",
        "thoughts": [],
        "tool_calls": [],
        "usage": None,
        "finish_reason": None,
        "error": None,
    }

    id: Id = Field(description="The stream's id.")
    message: Id | None = Field(description="Id of the reply being written; null outside a session.")
    status: StreamStatus = Field(description="Where the stream stands.")
    content: str = Field(description="The text so far.")
    thoughts: list[str] = Field(description="The thoughts by step; empty where the subscriber did not ask for them.")
    tool_calls: list[ToolCallState] = Field(description="The tool calls in the order in which they began.")
    usage: Usage | None = Field(description="What it cost, once it has ended.")
    finish_reason: FinishReason | None = Field(description="Why it ended; null before that, and where it failed.")
    error: StreamFailure | None = Field(description="Why it failed, or null.")


class SnapshotState(WireModel):
    """All that a client shows of a log, as of the snapshot's `seq`. Lists are present even when empty."""

    example: ClassVar[JsonObject] = {
        "session": SessionInfo.example,
        "members": [MemberInfo.example],
        "messages": [Message.example],
        "has_more": False,
        "streams": [SnapshotStream.example],
    }

    session: SessionInfo | None = Field(description="The session; null in a stand-alone stream's log.")
    members: list[MemberInfo] = Field(description="The session's members.")
    messages: list[Message] = Field(description="The latest messages, oldest first, at most `tail` of them.")
    has_more: bool = Field(description="True where older messages exist; REST has them.")
    streams: list[SnapshotStream] = Field(
        description="Every running stream, and in a stream's own log that stream in any state."
    )


class PresenceUser(WireModel):
    """Everything known about one person's presence: a change replaces what was known."""

    example: ClassVar[JsonObject] = {
        "user": User.example,
        "connections": 1,
        "status": "active",
        "typing": True,
        "cursor": {"area": "draft", "pos": 12, "head": 12},
        "left": False,
    }

    user: User = Field(description="Who.")
    connections: Count = Field(description="Sockets they have on this session.")
    status: PresenceStatus = Field(description="`idle` where none of them was used lately.")
    typing: bool = Field(description="True while they type.")
    cursor: Any = Field(description="Where their cursor is, as their client described it, or null.")
    left: bool = Field(description="True when they are gone.")


class ServerInfo(WireModel):
    """The server one talks to."""

    example: ClassVar[JsonObject] = {"version": "0.1.0"}

    version: str = Field(description="The server's version.")


class Limits(WireModel):
    """What this server allows one socket."""

    example: ClassVar[JsonObject] = {
        "max_frame_bytes": 1_048_576,
        "max_streams": 32,
        "max_subscriptions": 100,
        "heartbeat_s": 25,
    }

    max_frame_bytes: Count = Field(description="Largest frame the server reads.")
    max_streams: Count = Field(description="Streams that may run at once for one socket.")
    max_subscriptions: Count = Field(description="Logs that one socket may watch at once.")
    heartbeat_s: Number = Field(description="Seconds between the server's WebSocket pings.")
