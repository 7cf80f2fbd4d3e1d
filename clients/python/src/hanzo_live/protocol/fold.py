"""What a log amounts to: the reference that the server's snapshot and every client's store must equal.

`fold(events)` is the state after them, and a snapshot plus the events after it is the next snapshot. Order, gaps and
duplicates are `position.py`'s: what comes here is applied. Ephemeral events change nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hanzo_live.protocol.base import JsonObject
from hanzo_live.protocol.parts import new_call, reply_parts
from hanzo_live.protocol.shapes import TERMINAL_STATUSES


@dataclass(slots=True, eq=False)
class StreamState:
    """One stream as far as it has come. The texts are kept in pieces: a long answer is joined once, not per token.

    Two are equal when they show the same, whatever the pieces.
    """

    id: str
    message: str | None = None
    status: str = "running"
    usage: JsonObject | None = None
    finish_reason: str | None = None
    error: JsonObject | None = None
    tool_calls: dict[str, JsonObject] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)
    steps: list[list[str]] = field(default_factory=list)

    def __eq__(self, other: object) -> bool:
        return self.snapshot() == other.snapshot() if isinstance(other, StreamState) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    @property
    def content(self) -> str:
        if len(self.text) > 1:
            self.text[:] = ["".join(self.text)]
        return self.text[0] if self.text else ""

    @property
    def thoughts(self) -> list[str]:
        return ["".join(step) for step in self.steps]

    @property
    def ended(self) -> bool:
        return self.status in TERMINAL_STATUSES

    def void(self) -> None:
        """Nothing shown so far counts any more."""
        self.text.clear()
        self.steps.clear()
        self.tool_calls.clear()

    def snapshot(self) -> JsonObject:
        """As a SnapshotStream."""
        return {
            "id": self.id,
            "message": self.message,
            "status": self.status,
            "content": self.content,
            "thoughts": self.thoughts,
            "tool_calls": [dict(call) for call in self.tool_calls.values()],
            "usage": self.usage,
            "finish_reason": self.finish_reason,
            "error": self.error,
        }

    @classmethod
    def from_snapshot(cls, shape: Mapping[str, Any]) -> StreamState:
        return cls(
            id=shape["id"],
            message=shape["message"],
            status=shape["status"],
            usage=shape["usage"],
            finish_reason=shape["finish_reason"],
            error=shape["error"],
            tool_calls={call["call"]: dict(call) for call in shape["tool_calls"]},
            text=[shape["content"]] if shape["content"] else [],
            steps=[[thought] for thought in shape["thoughts"]],
        )


@dataclass(slots=True)
class State:
    """All that a log amounts to. Messages, members and streams by id, as wire shapes except for the streams."""

    session: JsonObject | None = None
    members: dict[str, JsonObject] = field(default_factory=dict)
    messages: dict[str, JsonObject] = field(default_factory=dict)
    streams: dict[str, StreamState] = field(default_factory=dict)
    has_more: bool = False

    @classmethod
    def from_snapshot(cls, state: Mapping[str, Any]) -> State:
        """From a snapshot's `state`, which is not changed by what is applied later."""
        return cls(
            session=state["session"],
            members={member["user"]["id"]: member for member in state["members"]},
            messages={message["id"]: message for message in state["messages"]},
            streams={stream["id"]: StreamState.from_snapshot(stream) for stream in state["streams"]},
            has_more=state["has_more"],
        )

    def to_snapshot(self, log: str, tail: int = 50) -> JsonObject:
        """A SnapshotState of `log`: the latest `tail` messages, every running stream, and a stream's own log's stream."""
        messages = self.transcript
        shown = messages[-tail:] if tail else []
        return {
            "session": self.session,
            "members": list(self.members.values()),
            "messages": shown,
            "has_more": self.has_more or len(shown) < len(messages),
            "streams": [
                stream.snapshot()
                for stream in self.streams.values()
                if not stream.ended or log == f"stream:{stream.id}"
            ],
        }

    @property
    def transcript(self) -> list[JsonObject]:
        """The messages in order."""
        return sorted(self.messages.values(), key=lambda message: int(message["n"]))

    def apply(self, event: Mapping[str, Any]) -> None:
        """Change the state by one event."""
        kind = event["type"]
        if kind in _STREAM_EVENTS:
            self._apply_to_stream(kind, event)
        elif kind == "message":
            self._put_message(event["message"])
        elif kind == "member":
            self._apply_member(event)
        elif kind == "session":
            self.session = {**(self.session or {}), **event["session"]}
        elif kind == "snapshot":
            fresh = State.from_snapshot(event["state"])
            self.session, self.members, self.messages = fresh.session, fresh.members, fresh.messages
            self.streams, self.has_more = fresh.streams, fresh.has_more

    def _put_message(self, message: JsonObject) -> None:
        known = self.messages.get(message["id"])
        # A snapshot may be read from a database that is ahead of the log: what has ended does not begin again.
        if known and known["status"] in TERMINAL_STATUSES and message["status"] not in TERMINAL_STATUSES:
            return
        self.messages[message["id"]] = message

    def _apply_member(self, event: Mapping[str, Any]) -> None:
        user = event["user"]
        if event["action"] in {"left", "removed"}:
            self.members.pop(user["id"], None)
        else:
            self.members[user["id"]] = {"user": user, "role": event["role"]}

    def _apply_to_stream(self, kind: str, event: Mapping[str, Any]) -> None:
        stream = self.streams.get(event["stream"])
        if stream is None:
            stream = self.streams[event["stream"]] = StreamState(event["stream"])
            self._recall(stream, event)
        if stream.ended:
            return
        if kind == "stream_start":
            stream.message, stream.status = event.get("message"), "running"
            self._change_message(stream, status="streaming")
        elif kind == "token":
            stream.text.append(event["data"])
            stream.status = "running"
        elif kind == "thought":
            while len(stream.steps) <= event["step"]:
                stream.steps.append([])
            stream.steps[event["step"]].append(event["data"])
            stream.status = "running"
        elif kind == "tool_call":
            _apply_tool_call(stream, event)
        elif kind == "tool_result":
            _apply_tool_result(stream, event)
        elif kind == "reset":
            stream.void()
            stream.status = "running"
        else:
            self._end(stream, kind, event)

    def _recall(self, stream: StreamState, event: Mapping[str, Any]) -> None:
        """A stream seen first here may have ended in the transcript already; then its events say nothing new."""
        stream.message = event.get("message") if event["type"] != "error" else None
        for message in self.messages.values():
            if message["stream"] == stream.id:
                stream.message = message["id"]
                if message["status"] in TERMINAL_STATUSES:
                    stream.status = message["status"]
                    stream.finish_reason = message["finish_reason"]
                    stream.text = [message["content"]] if message["content"] else []

    def _end(self, stream: StreamState, kind: str, event: Mapping[str, Any]) -> None:
        stream.usage = event.get("usage")
        if kind == "complete":
            stream.finish_reason = event["finish_reason"]
            stream.status = "stopped" if event["finish_reason"] == "stopped" else "complete"
        else:
            stream.status = "failed"
            stream.error = {name: event[name] for name in ("code", "message", "retryable")}
            if not event["partial"]:
                stream.void()
        self._change_message(
            stream,
            status=stream.status,
            finish_reason=stream.finish_reason,
            content=stream.content,
            parts=reply_parts(
                stream.thoughts,
                stream.tool_calls.values(),
                stream.error,
                thoughts_ms=event.get("thoughts_ms") or (),
            ),
        )

    def _change_message(self, stream: StreamState, **changes: Any) -> None:
        message = self.messages.get(stream.message) if stream.message else None
        if message:
            self.messages[message["id"]] = {**message, **changes}


_STREAM_EVENTS = frozenset(
    {"stream_start", "token", "thought", "tool_call", "tool_result", "reset", "complete", "error"}
)


def _tool_call(stream: StreamState, event: Mapping[str, Any]) -> JsonObject:
    return stream.tool_calls.setdefault(event["call"], new_call(event["call"], event.get("tool", "")))


def _apply_tool_call(stream: StreamState, event: Mapping[str, Any]) -> None:
    call = _tool_call(stream, event)
    call["tool"], call["status"] = event["tool"], event["status"]
    call["args_text"] += event.get("args_delta") or ""
    if event.get("args") is not None:
        call["args"], call["args_text"] = event["args"], ""
    if event.get("user") is not None:
        call["user"] = event["user"]
    waits = any(each["status"] in {"awaiting_approval", "awaiting_client"} for each in stream.tool_calls.values())
    stream.status = "waiting" if waits else "running"


def _apply_tool_result(stream: StreamState, event: Mapping[str, Any]) -> None:
    call = _tool_call(stream, event)
    call["result"], call["error"] = event.get("result"), event.get("error")
    call["duration_ms"] = event.get("duration_ms")
    if call["status"] != "denied":
        call["status"] = "complete" if call["error"] is None else "failed"


def fold(events: Iterable[Mapping[str, Any]], state: State | None = None) -> State:
    """The state after `events`, beginning with `state` (which is changed) or with nothing."""
    state = State() if state is None else state
    for event in events:
        state.apply(event)
    return state
