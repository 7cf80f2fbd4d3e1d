"""The commands: every frame that a client may send.

Only the shapes. Reading a raw frame is `parsing.py`; who may do what is the server's `access.py`.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self

from hanzo_live.protocol.base import (
    Base64,
    CommandId,
    Count,
    Email,
    Epoch,
    Id,
    JsonObject,
    Key,
    LargeJson,
    LogName,
    Reason,
    SessionRef,
    SmallJson,
    WireModel,
)
from hanzo_live.protocol.options import MessageRequest, StreamOptions, StreamRequest
from hanzo_live.protocol.shapes import PresenceStatus

_SESSION = "5f0c9c1e-11d7-4d3b-9c62-7f2a6f0d1c01"
_STREAM = "c3a9d7f0-6d1b-4d0a-8b55-2f1e0a9b7c01"


class Command(WireModel):
    """What every command has: its `type`, and an `id` of the client's that comes back in the reply."""

    answer: ClassVar[str] = "ok"
    """The type of the reply to it when it succeeds."""

    id: CommandId | None = Field(None, description="The client's; comes back in the reply. Whole number or text.")


class Hello(Command):
    """First frame: who I am. Again later: here is a fresh token."""

    answer = "welcome"
    example: ClassVar[JsonObject] = {"id": 1, "type": "hello", "token": None, "client": "hanzo-live-js/0.1.0"}

    type: Literal["hello"] = "hello"
    token: str | None = Field(
        None, min_length=1, max_length=16_384, description="An API token or a ticket; null with a cookie or header."
    )
    client: str | None = Field(None, max_length=200, description="Name and version of the client, for the operator.")


class Subscribe(Command):
    """Watch a log: from where one was (`epoch` and `seq`), or from a snapshot."""

    example: ClassVar[JsonObject] = {
        "id": 2,
        "type": "subscribe",
        "log": f"session:{_SESSION}",
        "epoch": "k3v9",
        "seq": 41,
        "flush_ms": 50,
        "buffer_size": 16,
        "show_thoughts": False,
        "tail": 50,
    }

    type: Literal["subscribe"] = "subscribe"
    log: LogName = Field(description="`session:<id or slug>` or `stream:<id>`.")
    epoch: Epoch | None = Field(None, description="The epoch of `seq`; without it `seq` means nothing.")
    seq: Count | None = Field(None, description="The last one had. Without it the server sends a snapshot.")
    flush_ms: int | None = Field(
        None, ge=0, le=60_000, description="Least time between frames; rounds up to a class, at most 1000."
    )
    buffer_size: int | None = Field(None, ge=1, le=10_000, description="Tokens after which a frame is sent earlier.")
    show_thoughts: bool = Field(False, description="Send the model's thoughts as well.")
    tail: int = Field(50, ge=0, le=200, description="How many messages a snapshot holds.")
    quiet: bool = Field(
        False,
        description="Take part, and be told only `unsubscribed`: for a proxy that has the log's events already.",
    )


class Unsubscribe(Command):
    """Stop watching a log."""

    example: ClassVar[JsonObject] = {"id": 3, "type": "unsubscribe", "log": f"session:{_SESSION}"}

    type: Literal["unsubscribe"] = "unsubscribe"
    log: LogName = Field(description="As it was subscribed.")


class StreamStart(StreamRequest, Command):
    """Ask a model, and watch the answer live from its start."""

    example: ClassVar[JsonObject] = {
        "id": 4,
        "type": "stream.start",
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
        "model": "llama-3-8b",
        "key": "c-1",
        "max_tokens": 200,
        "temperature": 0.7,
        "route": {"prefer_local": True, "fallback_to_cloud": False},
        "cache": {"enabled": True, "ttl": 3600, "semantic": True, "similarity_threshold": 0.95},
        "flush_ms": 50,
        "buffer_size": 16,
    }

    type: Literal["stream.start"] = "stream.start"


class StreamStop(Command):
    """Stop a stream; what it wrote so far stays."""

    example: ClassVar[JsonObject] = {"id": 5, "type": "stream.stop", "stream": _STREAM}

    type: Literal["stream.stop"] = "stream.stop"
    stream: Id = Field(description="Which.")


class MessageSend(MessageRequest, Command):
    """Post a message in a session, and ask the model unless `reply` is false."""

    example: ClassVar[JsonObject] = {
        "id": 6,
        "type": "message.send",
        "session": _SESSION,
        "content": "What is the capital of France?",
        "key": "c-1",
    }

    type: Literal["message.send"] = "message.send"
    session: SessionRef = Field(description="Id or slug of the session.")


class ToolDecision(WireModel):
    """Whether a tool call that waits for a person may run. The body of `POST /v1/streams/{id}/tools/approve`."""

    example: ClassVar[JsonObject] = {"call": "call_1", "approved": True, "reason": None}

    call: Id = Field(description="Which call of it.")
    approved: bool = Field(description="True to let it run.")
    reason: Reason | None = Field(None, description="Why; the model reads it where denied.")


class ToolOutput(WireModel):
    """What a tool gave that runs on the client: `output` or `error`. The body of `POST /v1/streams/{id}/tools/result`."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["output"]}, {"required": ["error"]}]})
    example: ClassVar[JsonObject] = {"call": "call_1", "output": {"text": "12 °C"}}

    call: Id = Field(description="Which call of it.")
    output: LargeJson = Field(None, description="What the tool gave: any JSON.")
    error: Reason | None = Field(None, min_length=1, description="Why the tool failed.")

    @model_validator(mode="after")
    def _has_one_outcome(self) -> Self:
        given = "output" in self.model_fields_set and (self.output is not None or self.error is None)
        if given == (self.error is not None):
            raise ValueError("needs either `output` or `error`, and not both")
        return self


class ToolApprove(ToolDecision, Command):
    """Allow or deny a tool call that waits for a person."""

    example: ClassVar[JsonObject] = {
        "id": 7,
        "type": "tool.approve",
        "stream": _STREAM,
        "call": "call_1",
        "approved": True,
        "reason": None,
    }

    type: Literal["tool.approve"] = "tool.approve"
    stream: Id = Field(description="Which stream.")


class ToolResult(ToolOutput, Command):
    """What a tool gave that runs on the client: `output` or `error`."""

    example: ClassVar[JsonObject] = {
        "id": 8,
        "type": "tool.result",
        "stream": _STREAM,
        "call": "call_1",
        "output": {"text": "12 °C"},
    }

    type: Literal["tool.result"] = "tool.result"
    stream: Id = Field(description="Which stream.")


class PresenceSet(Command):
    """Tell the others of a session what one is doing. What is absent stays as it was."""

    example: ClassVar[JsonObject] = {
        "id": 9,
        "type": "presence.set",
        "session": _SESSION,
        "status": "active",
        "typing": True,
        "cursor": {"area": "draft", "pos": 12, "head": 12},
    }

    type: Literal["presence.set"] = "presence.set"
    session: SessionRef = Field(description="Id or slug of the session.")
    status: PresenceStatus | None = Field(None, description="`active` or `idle`.")
    typing: bool | None = Field(None, description="True while typing.")
    cursor: SmallJson = Field(
        None, description="Where the cursor is: any small JSON, as {area, pos, head} or {x, y}; null hides it."
    )


class DraftSync(Command):
    """Begin to share the session's draft: what one has, as a Yjs sync message."""

    example: ClassVar[JsonObject] = {
        "id": 10,
        "type": "draft.sync",
        "session": _SESSION,
        "generation": 3,
        "update": "AAEA",
    }

    type: Literal["draft.sync"] = "draft.sync"
    session: SessionRef = Field(description="Id or slug of the session.")
    generation: Count | None = Field(None, description="The draft's generation that one has; null at first.")
    update: Base64 = Field(description="Yjs sync message, base64: step 1, one's state vector.")


class DraftUpdate(Command):
    """Change the shared draft."""

    example: ClassVar[JsonObject] = {
        "id": 11,
        "type": "draft.update",
        "session": _SESSION,
        "generation": 3,
        "update": "AAA=",
    }

    type: Literal["draft.update"] = "draft.update"
    session: SessionRef = Field(description="Id or slug of the session.")
    generation: Count = Field(description="The generation the update belongs to; an older one is a `conflict`.")
    update: Base64 = Field(description="Yjs update, base64.")


class DraftSend(StreamOptions, Command):
    """Post the shared draft as the sender's message; the next generation begins empty."""

    example: ClassVar[JsonObject] = {"id": 12, "type": "draft.send", "session": _SESSION, "generation": 3, "key": "c-2"}

    type: Literal["draft.send"] = "draft.send"
    session: SessionRef = Field(description="Id or slug of the session.")
    generation: Count = Field(description="The generation to post: of two who send it, one does.")
    key: Key | None = Field(None, description="Idempotency: the same key posts once and gives the same answer.")


class MessageRead(Command):
    """Tell how far one has read."""

    example: ClassVar[JsonObject] = {"id": 13, "type": "message.read", "session": _SESSION, "n": 2}

    type: Literal["message.read"] = "message.read"
    session: SessionRef = Field(description="Id or slug of the session.")
    n: Count = Field(description="Number of the last message seen.")


class SessionInvite(Command):
    """Invite somebody by e-mail or by link."""

    example: ClassVar[JsonObject] = {
        "id": 14,
        "type": "session.invite",
        "session": _SESSION,
        "email": "grace@example.com",
        "role": "editor",
        "expires_in": 604_800,
        "max_uses": 1,
    }

    type: Literal["session.invite"] = "session.invite"
    session: SessionRef = Field(description="Id or slug of the session.")
    email: Email | None = Field(None, description="Whom; without it, whoever has the link.")
    role: Literal["editor", "viewer"] = Field("editor", description="What they may do.")
    expires_in: int | None = Field(None, ge=60, le=31_536_000, description="Seconds until it expires.")
    max_uses: int | None = Field(None, ge=1, le=10_000, description="How often it may be used.")


class Ping(Command):
    """Is the way there and back open? The answer is `pong`."""

    answer = "pong"
    example: ClassVar[JsonObject] = {"id": 15, "type": "ping"}

    type: Literal["ping"] = "ping"


AnyCommand: TypeAlias = (
    Hello
    | Subscribe
    | Unsubscribe
    | StreamStart
    | StreamStop
    | MessageSend
    | ToolApprove
    | ToolResult
    | PresenceSet
    | DraftSync
    | DraftUpdate
    | DraftSend
    | MessageRead
    | SessionInvite
    | Ping
)

COMMANDS: dict[str, type[Command]] = {
    model.model_fields["type"].default: model
    for model in (
        Hello,
        Subscribe,
        Unsubscribe,
        StreamStart,
        StreamStop,
        MessageSend,
        ToolApprove,
        ToolResult,
        PresenceSet,
        DraftSync,
        DraftUpdate,
        DraftSend,
        MessageRead,
        SessionInvite,
        Ping,
    )
}
"""Every command by its `type`, in the order of the documents."""
