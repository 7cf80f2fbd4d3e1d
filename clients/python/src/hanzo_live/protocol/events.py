"""The events: what the server tells everybody who watches a log.

Durable ones are in the log and carry `seq`; the others are gone when missed. The server's hot path builds tokens
without these models; `validate_event` is how tests hold it to them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self

from hanzo_live.protocol.base import Base64, Count, Epoch, Id, JsonObject, LogName, Name, Number, WireModel
from hanzo_live.protocol.shapes import (
    ErrorCodeText,
    FinishReason,
    Message,
    Phase,
    PresenceUser,
    Role,
    SessionChange,
    SnapshotState,
    ToolProgress,
    ToolStatus,
    Usage,
    User,
)

_LOG = "session:5f0c9c1e-11d7-4d3b-9c62-7f2a6f0d1c01"
_STREAM = "c3a9d7f0-6d1b-4d0a-8b55-2f1e0a9b7c01"
_REPLY = "0b9f3d0e-5d57-4a0e-8a1b-3f7f1c2d4e02"
_TS = 1_795_446_245_120


class Event(WireModel):
    """What every event has."""

    durable: ClassVar[bool] = False
    """True where the event is in the log and carries `seq`."""

    terminal: ClassVar[bool] = False
    """True where it ends its stream: exactly one such event per stream, ever."""

    log: LogName = Field(description="The log it belongs to.")


class DurableEvent(Event):
    """What every logged event has."""

    durable = True

    seq: Count = Field(description="Number in the log, growing by one; the last one where events are merged.")
    ts: Count = Field(description="When, in milliseconds since 1970 (of the last one where merged).")
    prev: Count | None = Field(
        None, description="The `seq` before the first one merged or skipped; absent means `seq - 1`."
    )


class MessageEvent(DurableEvent):
    """A message was posted, or changed: it takes the place of the one with its id.

    A reply is announced by one with status `queued` or `streaming` and no text before its `stream_start`.
    """

    example: ClassVar[JsonObject] = {"type": "message", "log": _LOG, "seq": 41, "ts": _TS, "message": Message.example}

    type: Literal["message"] = "message"
    message: Message = Field(description="The message as it is now.")


class StreamStartEvent(DurableEvent):
    """A model begins to answer; told again where another node goes on after the first one failed."""

    example: ClassVar[JsonObject] = {
        "type": "stream_start",
        "log": _LOG,
        "seq": 43,
        "ts": _TS,
        "stream": _STREAM,
        "message": _REPLY,
        "model": "smollm2-135m",
        "requested_model": "llama-3-8b",
        "user": User.example,
        "node": "local",
        "cached": None,
    }

    type: Literal["stream_start"] = "stream_start"
    stream: Id = Field(description="The stream's id.")
    message: Id | None = Field(description="Id of the reply being written; null outside a session.")
    model: str = Field(description="The model that runs.")
    requested_model: str | None = Field(description="The model asked for, or null.")
    user: User | None = Field(description="Who asked; null for an anonymous caller.")
    node: Literal["local", "cloud"] = Field(description="Where it runs.")
    cached: Literal["exact", "semantic"] | None = Field(description="How it was found in the cache, or null.")


class TokenEvent(DurableEvent):
    """Text of the answer."""

    example: ClassVar[JsonObject] = {
        "type": "token",
        "log": _LOG,
        "seq": 46,
        "prev": 43,
        "ts": _TS,
        "stream": _STREAM,
        "data": "The capital of France is Paris.",
        "n": 7,
    }

    type: Literal["token"] = "token"
    stream: Id = Field(description="The stream's id.")
    data: str = Field(description="The text, to be appended.")
    n: Count = Field(description="How many tokens are in it.")


class ThoughtEvent(DurableEvent):
    """Text of the model's thinking. Only for subscribers with `show_thoughts`."""

    example: ClassVar[JsonObject] = {
        "type": "thought",
        "log": _LOG,
        "seq": 44,
        "ts": _TS,
        "stream": _STREAM,
        "step": 0,
        "data": "A question of geography.",
        "n": 5,
    }

    type: Literal["thought"] = "thought"
    stream: Id = Field(description="The stream's id.")
    step: int = Field(ge=0, le=10_000, description="Which thought: 0, 1, …")
    data: str = Field(description="The text, to be appended to that step.")
    n: Count = Field(description="How many tokens are in it.")


class ToolCallEvent(DurableEvent):
    """A tool call began or came further. Absent or null fields are as they were."""

    example: ClassVar[JsonObject] = {
        "type": "tool_call",
        "log": _LOG,
        "seq": 47,
        "ts": _TS,
        "stream": _STREAM,
        "call": "call_1",
        "tool": "search_web",
        "args": {"query": "weather in Paris"},
        "args_delta": None,
        "status": "running",
        "user": None,
    }

    type: Literal["tool_call"] = "tool_call"
    stream: Id = Field(description="The stream's id.")
    call: Id = Field(description="Id of the call, unique within its stream.")
    tool: Name = Field(description="Name of the tool.")
    args: JsonObject | None = Field(None, description="The arguments, once whole.")
    args_delta: str | None = Field(None, description="More of the arguments' JSON, to be appended, while streaming.")
    status: ToolStatus = Field(description="Where the call stands.")
    user: User | None = Field(None, description="Who approved or denied it.")


class ToolResultEvent(DurableEvent):
    """A tool has finished: `result` or `error`."""

    example: ClassVar[JsonObject] = {
        "type": "tool_result",
        "log": _LOG,
        "seq": 48,
        "ts": _TS,
        "stream": _STREAM,
        "call": "call_1",
        "result": {"text": "12 °C"},
        "error": None,
        "duration_ms": 212,
    }

    type: Literal["tool_result"] = "tool_result"
    stream: Id = Field(description="The stream's id.")
    call: Id = Field(description="Which call.")
    result: Any = Field(None, description="What the tool gave: any JSON.")
    error: str | None = Field(None, description="Why it failed, or null.")
    duration_ms: Number | None = Field(None, description="How long it ran, or null where nobody measured.")


class ResetEvent(DurableEvent):
    """Everything shown of that stream so far is void; it begins again."""

    example: ClassVar[JsonObject] = {
        "type": "reset",
        "log": _LOG,
        "seq": 49,
        "ts": _TS,
        "stream": _STREAM,
        "reason": "The worker was lost and the engine cannot continue a cut answer.",
    }

    type: Literal["reset"] = "reset"
    stream: Id = Field(description="The stream's id.")
    reason: str = Field(description="Why, for a person.")


class CompleteEvent(DurableEvent):
    """The stream has ended, by itself or by a stop."""

    terminal = True
    example: ClassVar[JsonObject] = {
        "type": "complete",
        "log": _LOG,
        "seq": 50,
        "ts": _TS,
        "stream": _STREAM,
        "finish_reason": "stop",
        "stopped_by": None,
        "usage": Usage.example,
        "duration_ms": 412,
        "first_token_ms": 38,
        "tokens_per_second": 21.4,
        "cached": None,
        "similarity": None,
        "message": _REPLY,
        "thoughts_ms": [212.4],
    }

    type: Literal["complete"] = "complete"
    stream: Id = Field(description="The stream's id.")
    finish_reason: FinishReason = Field(description="Why. `stopped` keeps the text written so far.")
    stopped_by: User | None = Field(description="Who stopped it, or null.")
    usage: Usage = Field(description="What it cost.")
    duration_ms: Number = Field(description="From the start to this event.")
    first_token_ms: Number | None = Field(description="From the start to the first token; null without one.")
    tokens_per_second: Number | None = Field(description="Tokens written per second; null where too few.")
    cached: Literal["exact", "semantic"] | None = Field(description="How it was found in the cache, or null.")
    similarity: float | None = Field(ge=-1, le=1, description="How similar the cached question was, or null.")
    message: Id | None = Field(description="Id of the reply, as in `stream_start`; null outside a session.")
    thoughts_ms: list[Number] | None = Field(None, description="How long each thought took, by step.")


class ErrorEvent(DurableEvent):
    """The stream has ended in a failure."""

    terminal = True
    example: ClassVar[JsonObject] = {
        "type": "error",
        "log": _LOG,
        "seq": 50,
        "ts": _TS,
        "stream": _STREAM,
        "code": "node_error",
        "message": "The inference node failed in the middle of the answer. Try again.",
        "retryable": True,
        "partial": True,
        "usage": None,
        "thoughts_ms": [],
    }

    type: Literal["error"] = "error"
    stream: Id = Field(description="The stream's id.")
    code: ErrorCodeText = Field(description="An error code.")
    message: str = Field(min_length=1, description="What happened and what to do next.")
    retryable: bool = Field(description="True where the same request may succeed later.")
    partial: bool = Field(description="True where the text so far is kept; false where it is void.")
    usage: Usage | None = Field(description="What it cost, or null.")
    thoughts_ms: list[Number] | None = Field(None, description="How long each thought took, by step.")


class MemberEvent(DurableEvent):
    """Somebody came to the session, left it, was removed, or has another role."""

    example: ClassVar[JsonObject] = {
        "type": "member",
        "log": _LOG,
        "seq": 51,
        "ts": _TS,
        "action": "joined",
        "user": User.example,
        "role": "editor",
    }

    type: Literal["member"] = "member"
    action: Literal["joined", "left", "removed", "role"] = Field(description="What happened.")
    user: User = Field(description="To whom.")
    role: Role | None = Field(description="Their role now; null when they are gone.")


class SessionEvent(DurableEvent):
    """The session itself changed."""

    example: ClassVar[JsonObject] = {
        "type": "session",
        "log": _LOG,
        "seq": 52,
        "ts": _TS,
        "session": SessionChange.example,
    }

    type: Literal["session"] = "session"
    session: SessionChange = Field(description="The fields that changed.")


class ProgressEvent(Event):
    """How far a stream is."""

    example: ClassVar[JsonObject] = {
        "type": "progress",
        "log": _LOG,
        "stream": _STREAM,
        "tokens": 120,
        "total": 1000,
        "percent": 12.0,
        "eta_s": 41.5,
        "tokens_per_second": 21.2,
        "phase": "answering",
        "queue_position": None,
    }

    type: Literal["progress"] = "progress"
    ts: Count | None = Field(None, description="When, in milliseconds since 1970.")
    stream: Id = Field(description="The stream's id.")
    tokens: Count = Field(description="Tokens written so far; always a number.")
    total: Count | None = Field(description="Most tokens expected, or null.")
    percent: float | None = Field(ge=0, le=100, description="Share done, or null.")
    eta_s: Number | None = Field(description="Seconds left, or null.")
    tokens_per_second: Number | None = Field(description="Speed now, or null.")
    phase: Phase = Field(description="What it is doing.")
    queue_position: Count | None = Field(description="How many are before it, or null.")
    tools: list[ToolProgress] | None = Field(
        None, max_length=128, description="What running tools tell of themselves; absent where none does."
    )


class PresenceEvent(Event):
    """Who is here: the full list in `users` on subscribing, then `changes`. A new list takes the place of the old one.

    Above the size that the server lists, `users` is empty, `summarised` is true and `total` is what is known.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["users"], "properties": {"users": {"type": "array"}}},
                {"required": ["changes"], "properties": {"changes": {"type": "array"}}},
            ]
        }
    )
    example: ClassVar[JsonObject] = {"type": "presence", "log": _LOG, "changes": [PresenceUser.example], "total": 1}

    type: Literal["presence"] = "presence"
    ts: Count | None = Field(None, description="When, in milliseconds since 1970.")
    users: list[PresenceUser] | None = Field(None, description="Everybody who is here.")
    changes: list[PresenceUser] | None = Field(None, description="Those whose state changed, each with all of it.")
    total: Count | None = Field(None, description="How many people are here.")
    summarised: bool | None = Field(
        None, description="True where there are too many people to list: only `total` says."
    )

    @model_validator(mode="after")
    def _has_one_list(self) -> Self:
        if (self.users is None) == (self.changes is None):
            raise ValueError("needs either `users` or `changes`, and not both")
        return self


class DraftEvent(Event):
    """The shared draft changed, or somebody's awareness of it."""

    example: ClassVar[JsonObject] = {
        "type": "draft",
        "log": _LOG,
        "generation": 3,
        "update": "AAA=",
        "n": 17,
        "awareness": None,
        "user": User.example,
    }

    type: Literal["draft"] = "draft"
    ts: Count | None = Field(None, description="When, in milliseconds since 1970.")
    generation: Count | None = Field(None, description="The draft's generation.")
    update: Base64 | None = Field(None, description="Yjs update, base64.")
    n: Count | None = Field(
        None, description="Number of the update in its generation, from 1 without holes: after a hole, `draft.sync`."
    )
    awareness: Base64 | None = Field(None, description="Yjs awareness update, base64.")
    user: User | None = Field(None, description="Who; null where the server itself began a new generation.")


class SnapshotEvent(Event):
    """All there is to show, as of `seq`. It takes the place of everything known of that log."""

    example: ClassVar[JsonObject] = {
        "type": "snapshot",
        "log": _LOG,
        "epoch": "k3v9",
        "seq": 45,
        "state": SnapshotState.example,
    }

    type: Literal["snapshot"] = "snapshot"
    ts: Count | None = Field(None, description="When, in milliseconds since 1970.")
    epoch: Epoch = Field(description="The log's epoch.")
    seq: Count = Field(description="The last event that is in it.")
    state: SnapshotState = Field(description="Everything to show.")


class GoawayEvent(WireModel):
    """The server drains: reconnect after the time given, and resume. It belongs to the socket and has no `log`."""

    durable: ClassVar[bool] = False
    terminal: ClassVar[bool] = False
    example: ClassVar[JsonObject] = {"type": "goaway", "reason": "The server restarts.", "reconnect_after_ms": 850}

    type: Literal["goaway"] = "goaway"
    reason: str = Field(description="Why, for a person.")
    reconnect_after_ms: Count = Field(description="When to reconnect; different for each socket, against a rush.")


class UnsubscribedEvent(Event):
    """The server ended the subscription; it is the log's last frame."""

    example: ClassVar[JsonObject] = {"type": "unsubscribed", "log": _LOG, "reason": "removed"}

    type: Literal["unsubscribed"] = "unsubscribed"
    ts: Count | None = Field(None, description="When, in milliseconds since 1970.")
    reason: Literal["removed", "archived", "deleted"] = Field(description="Why.")


AnyEvent: TypeAlias = (
    MessageEvent
    | StreamStartEvent
    | TokenEvent
    | ThoughtEvent
    | ToolCallEvent
    | ToolResultEvent
    | ResetEvent
    | CompleteEvent
    | ErrorEvent
    | MemberEvent
    | SessionEvent
    | ProgressEvent
    | PresenceEvent
    | DraftEvent
    | SnapshotEvent
    | GoawayEvent
    | UnsubscribedEvent
)

EVENTS: dict[str, type[Event | GoawayEvent]] = {
    model.model_fields["type"].default: model
    for model in (
        MessageEvent,
        StreamStartEvent,
        TokenEvent,
        ThoughtEvent,
        ToolCallEvent,
        ToolResultEvent,
        ResetEvent,
        CompleteEvent,
        ErrorEvent,
        MemberEvent,
        SessionEvent,
        ProgressEvent,
        PresenceEvent,
        DraftEvent,
        SnapshotEvent,
        GoawayEvent,
        UnsubscribedEvent,
    )
}
"""Every event by its `type`, in the order of the documents."""

DURABLE_EVENTS = frozenset(name for name, model in EVENTS.items() if model.durable)
TERMINAL_EVENTS = frozenset(name for name, model in EVENTS.items() if model.terminal)
MERGED_EVENTS = frozenset({"token", "thought"})
"""The events whose neighbours (same kind, stream and, for thoughts, step) the server merges into one frame."""
