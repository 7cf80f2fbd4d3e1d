"""All there is to show of a log, as of one moment: what a late joiner gets.

The database is read first, then the log up to its head, folded over it by id. A running stream's text comes from the
log alone. Reading in this order nothing falls between the two; what is in both is told apart by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hanzo_live.protocol import State
from hanzo_live.protocol.fold import StreamState
from sessions import access, queries
from sessions.models import LiveSession
from streaming.database import in_db
from streaming.hub.frames import wire_of
from streaming.log import LogWriter
from streaming.models import OPEN, Stream


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`state` is the wire's SnapshotState, with the thoughts; `without_thoughts` leaves them out."""

    epoch: str
    seq: int
    state: dict[str, Any]

    def event(self, log: str, *, show_thoughts: bool) -> dict[str, Any]:
        state = self.state
        if not show_thoughts:
            state = {**state, "streams": [{**stream, "thoughts": []} for stream in state["streams"]]}
        return {"type": "snapshot", "log": log, "epoch": self.epoch, "seq": self.seq, "state": state}


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the database holds of a log: the transcript, and the streams by whether they have ended."""

    transcript: dict[str, Any]
    running: list[str]
    ended: list[dict[str, Any]]


async def snapshot(writer: LogWriter, log: str, tail: int) -> Snapshot:
    """The snapshot of `log` (canonical name, access checked), with its latest `tail` messages.

    Raises LogUnavailable, and LiveSession.DoesNotExist or Stream.DoesNotExist for a log whose owner is gone.
    """
    before = (await writer.head(log)).seq
    rows = await in_db(_rows, log, tail)
    started = [seq for seq in await writer.starts(log, rows.running) if seq] if rows.running else []
    after = min([before, *(seq - 1 for seq in started)])
    state = State.from_snapshot({**rows.transcript, "streams": rows.ended})
    for stream in rows.running:
        state.streams[stream] = StreamState(stream, message=_reply_of(state, stream), status="queued")
    events, head = await writer.read_to_head(log, after)
    for event in events:
        state.apply(wire_of(log, event))
    return Snapshot(head.epoch, head.seq, state.to_snapshot(log, tail))


async def is_shut_out(log: str, user_id: str | None, shown: Snapshot) -> bool:
    """Whether the snapshot is of a session that the user is no member of any more.

    Where the event that said so was lost, nobody has told the hub. A snapshot may be older than a new membership, so who
    is not in it is looked up.
    """
    kind, _, id = log.partition(":")
    if kind != "session" or user_id is None or any(each["user"]["id"] == user_id for each in shown.state["members"]):
        return False
    return await in_db(access.role_of, UUID(user_id), UUID(id)) is None


def stream_wire(stream: Stream) -> dict[str, Any]:
    """An ended stream as a SnapshotStream."""
    return {
        "id": str(stream.pk),
        "message": str(stream.message) if stream.message else None,
        "status": stream.status,
        "content": stream.content,
        "thoughts": [part["text"] for part in stream.parts if part["type"] == "reasoning"],
        "tool_calls": _tool_calls(stream.parts),
        "usage": stream.usage,
        "finish_reason": stream.finish_reason or None,
        "error": {name: stream.error[name] for name in ("code", "message", "retryable")} if stream.error else None,
    }


def _rows(log: str, tail: int) -> _Rows:
    kind, _, id = log.partition(":")
    if kind == "stream":
        stream = Stream.objects.get(pk=id)
        empty: dict[str, Any] = {"session": None, "members": [], "messages": [], "has_more": False}
        return _Rows(empty, [], [stream_wire(stream)]) if stream.is_over else _Rows(empty, [id], [])
    session = LiveSession.objects.get(pk=id)
    transcript = queries.snapshot(session, tail)
    running = Stream.objects.filter(session=session, status__in=OPEN).order_by("created_at")
    return _Rows(transcript, [str(pk) for pk in running.values_list("pk", flat=True)], [])


def _reply_of(state: State, stream: str) -> str | None:
    return next((id for id, message in state.messages.items() if message["stream"] == stream), None)


def _tool_calls(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    results = {part["id"]: part for part in parts if part["type"] == "toolResult"}
    calls = []
    for part in parts:
        if part["type"] == "toolCall":
            result = results.get(part["id"], {})
            calls.append(
                {
                    "call": part["id"],
                    "tool": part["name"],
                    "args": part["args"],
                    "args_text": "",
                    "status": result.get("status", "running"),
                    "user": None,
                    "result": result.get("result"),
                    "error": result.get("error"),
                    "duration_ms": None,
                }
            )
    return calls
