"""Recorded answers of every dialect, and normal events in a form that does not depend on how they were cut."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanzo_live.protocol.errors import LiveError
from streaming.node import Finish, NodeEvent, StreamDecoder, Text, Thought, ToolCallDelta, Usage
from streaming.node.refusals import Refusal, error_of

FOLDER = Path(__file__).parent.parent / "fixtures" / "nodes"


@dataclass(frozen=True)
class Dialect:
    """One fixture: what a node answered, and what it means."""

    name: str
    dialect: str
    origin: str
    status: int
    content_type: str
    headers: dict[str, str]
    body: bytes
    events: list[list[Any]]
    error: dict[str, Any] | None


def load(path: Path) -> Dialect:
    given = json.loads(path.read_text())
    return Dialect(
        path.stem,
        given["dialect"],
        given["origin"],
        given["status"],
        given["content_type"],
        given.get("headers", {}),
        "".join(given["body"]).encode(),
        given["expect"]["events"],
        given["expect"].get("error"),
    )


DIALECTS = [load(path) for path in sorted(FOLDER.glob("*.json"))]


def decode(dialect: Dialect, pieces: Iterable[bytes]) -> tuple[list[NodeEvent], LiveError | None]:
    """The events of the answer read in these pieces, and how it failed."""
    decoder = StreamDecoder(prompt_bytes=32)
    if dialect.status != 200:
        return [], error_of(Refusal.of_response(dialect.status, b"".join(pieces)), dialect.headers)
    if dialect.content_type == "application/json":
        return decoder.whole(b"".join(pieces)), decoder.failure
    events = [event for piece in pieces for event in decoder.feed(piece)]
    if not decoder.ended:
        events += decoder.end()
    return events, decoder.failure


def normal(events: Iterable[NodeEvent]) -> list[list[Any]]:
    """Neighbours of one kind as one."""
    out: list[list[Any]] = []
    for event in events:
        last = out[-1] if out else [""]
        match event:
            case Text(data):
                if last[0] == "text":
                    last[1] += data
                else:
                    out.append(["text", data])
            case Thought(data, step):
                if last[:2] == ["thought", step]:
                    last[2] += data
                else:
                    out.append(["thought", step, data])
            case ToolCallDelta(index, id, name, args):
                if last[:4] == ["tool_call", index, id, name]:
                    last[4] += args
                else:
                    out.append(["tool_call", index, id, name, args])
            case Usage(read, written, total, estimated):
                out.append(["usage", read, written, total, estimated])
            case Finish(reason):
                out.append(["finish", reason])
    return out


def text_of(events: Iterable[NodeEvent]) -> str:
    return "".join(event.data for event in events if isinstance(event, Text))
