"""The replies: what the server answers to one command, with that command's `id`.

Not for events, which tell everybody what happened in a log.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from hanzo_live.protocol.base import Base64, CommandId, Count, Epoch, Id, JsonObject, LogName, Number, WireModel
from hanzo_live.protocol.shapes import ConnectedUser, ErrorCodeText, Limits, ServerInfo

_SESSION = "5f0c9c1e-11d7-4d3b-9c62-7f2a6f0d1c01"
_STREAM = "c3a9d7f0-6d1b-4d0a-8b55-2f1e0a9b7c01"
_MESSAGE = "0b9f3d0e-5d57-4a0e-8a1b-3f7f1c2d4e01"


class Reply(WireModel):
    """What every reply has."""

    id: CommandId | None = Field(description="The command's; null where it had none.")


class Ok(Reply):
    """The command was done."""

    command: ClassVar[str] = ""
    """The type of the command that this answers."""

    type: Literal["ok"] = "ok"


class Welcome(Reply):
    """The answer to `hello`: who the server takes one for, and what it allows."""

    example: ClassVar[JsonObject] = {
        "type": "welcome",
        "id": 1,
        "protocol": 1,
        "connection": "b7d1c0de",
        "user": ConnectedUser.example,
        "server": ServerInfo.example,
        "limits": Limits.example,
    }

    type: Literal["welcome"] = "welcome"
    protocol: Literal[1] = Field(description="Version of this protocol.")
    connection: Id = Field(description="Id of this socket, for the operator's log.")
    user: ConnectedUser = Field(description="Who the server takes this socket for.")
    server: ServerInfo = Field(description="The server.")
    limits: Limits = Field(description="What one socket may do.")


class Pong(Reply):
    """The answer to `ping`."""

    example: ClassVar[JsonObject] = {"type": "pong", "id": 15}

    type: Literal["pong"] = "pong"


class ErrorReply(Reply):
    """The command was refused. With `id: null`: why the socket is about to be closed. Also the body of REST errors."""

    example: ClassVar[JsonObject] = {
        "type": "error",
        "id": 4,
        "code": "bad_request",
        "message": "`content` must have at most 200000 characters.",
        "retryable": False,
        "retry_after": None,
        "field": "content",
    }

    type: Literal["error"] = "error"
    code: ErrorCodeText = Field(description="An error code.")
    message: str = Field(min_length=1, description="What happened and what to do next.")
    retryable: bool = Field(description="True where the same request may succeed later.")
    retry_after: Number | None = Field(description="Seconds to wait first, or null.")
    field: str | None = Field(description="The field at fault, as `messages.0.content`, or null.")


class SubscribeOk(Ok):
    """Events of the log follow, from a position that `mode` tells."""

    command = "subscribe"
    example: ClassVar[JsonObject] = {
        "type": "ok",
        "id": 2,
        "log": f"session:{_SESSION}",
        "epoch": "k3v9",
        "seq": 57,
        "mode": "replay",
    }

    log: LogName = Field(description="The log, by its id.")
    epoch: Epoch = Field(description="The log's epoch: compare it, it has no order.")
    seq: Count = Field(description="The log's last `seq` now.")
    mode: Literal["live", "replay", "snapshot"] = Field(
        description="`live`: events after `seq` follow. `replay`: every event after the one you had follows, merged. "
        "`snapshot`: a snapshot follows, then every event after it."
    )


class UnsubscribeOk(Ok):
    """No event of that log follows."""

    command = "unsubscribe"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 3, "log": f"session:{_SESSION}"}

    log: LogName = Field(description="The log, by its id.")


class StreamStartOk(Ok):
    """The stream is on its way, and its events follow on `log`."""

    command = "stream.start"
    example: ClassVar[JsonObject] = {
        "type": "ok",
        "id": 4,
        "stream": _STREAM,
        "log": f"stream:{_STREAM}",
        "message": None,
        "epoch": "k3v9",
        "seq": 0,
    }

    stream: Id = Field(description="The stream's id.")
    log: LogName = Field(description="The log to which the caller is now subscribed.")
    message: Id | None = Field(None, description="Id of the caller's message; null outside a session.")
    epoch: Epoch | None = Field(None, description="The log's epoch, where this command subscribed the caller.")
    seq: Count | None = Field(
        None, description="Events after this one follow, where this command subscribed the caller."
    )


class StreamStopOk(Ok):
    """The stream ends, or had ended; its terminal event tells how."""

    command = "stream.stop"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 5, "stream": _STREAM}

    stream: Id = Field(description="The stream's id.")


class MessageSendOk(Ok):
    """The message is posted."""

    command = "message.send"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 6, "message": _MESSAGE, "stream": _STREAM}

    message: Id = Field(description="Id of the message posted.")
    stream: Id | None = Field(None, description="The stream that answers it; null with `reply: false`.")


class ToolApproveOk(Ok):
    """The decision is taken."""

    command = "tool.approve"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 7}


class ToolResultOk(Ok):
    """The result is taken."""

    command = "tool.result"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 8}


class PresenceSetOk(Ok):
    """The others are told."""

    command = "presence.set"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 9}


class DraftSyncOk(Ok):
    """What the server has that the caller has not."""

    command = "draft.sync"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 10, "update": "AQIAAAABAA==", "generation": 3, "n": 17}

    update: Base64 | None = Field(
        None, description="Yjs sync messages, base64: step 2, what the caller lacks, then step 1, what the draft has."
    )
    generation: Count = Field(description="The draft's generation now.")
    n: Count = Field(0, description="Number of the last update that is in it.")


class DraftUpdateOk(Ok):
    """The update is in the draft."""

    command = "draft.update"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 11, "update": None, "generation": 3}

    update: Base64 | None = Field(None, description="What the caller lacks, if anything: Yjs update, base64.")
    generation: Count = Field(description="The draft's generation now.")


class DraftSendOk(Ok):
    """The draft is posted."""

    command = "draft.send"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 12, "message": _MESSAGE, "stream": _STREAM}

    message: Id = Field(description="Id of the message posted.")
    stream: Id | None = Field(None, description="The stream that answers it.")


class MessageReadOk(Ok):
    """Noted."""

    command = "message.read"
    example: ClassVar[JsonObject] = {"type": "ok", "id": 13}


class SessionInviteOk(Ok):
    """The invitation is made."""

    command = "session.invite"
    example: ClassVar[JsonObject] = {
        "type": "ok",
        "id": 14,
        "invitation": "9a54c2f1-0f7e-4e0b-8f5e-5d0c3b2a1f01",
        "url": "http://127.0.0.1:3001/invitations/hzi_example",
    }

    invitation: Id = Field(description="Id of the invitation.")
    url: str = Field(min_length=1, description="The link to send; shown this once.")


AnyOk: TypeAlias = (
    SubscribeOk
    | UnsubscribeOk
    | StreamStartOk
    | StreamStopOk
    | MessageSendOk
    | ToolApproveOk
    | ToolResultOk
    | PresenceSetOk
    | DraftSyncOk
    | DraftUpdateOk
    | DraftSendOk
    | MessageReadOk
    | SessionInviteOk
)

OKS: dict[str, type[Ok]] = {
    model.command: model
    for model in (
        SubscribeOk,
        UnsubscribeOk,
        StreamStartOk,
        StreamStopOk,
        MessageSendOk,
        ToolApproveOk,
        ToolResultOk,
        PresenceSetOk,
        DraftSyncOk,
        DraftUpdateOk,
        DraftSendOk,
        MessageReadOk,
        SessionInviteOk,
    )
}
"""Every `ok` by the type of the command that it answers."""

REPLIES: dict[str, type[Reply]] = {"welcome": Welcome, "pong": Pong, "error": ErrorReply}
"""The replies that are not `ok`, by their `type`."""
