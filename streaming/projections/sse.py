"""The log as server-sent events: `id: <epoch>.<seq>`, `event: <type>`, `data: <the event as JSON>`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

from hanzo_live.protocol import TERMINAL_EVENTS, TERMINAL_STATUSES
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.authentication import Identity
from streaming.projections.credential import standing_on
from streaming.projections.reader import LogReader

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
CONTENT_TYPE = "text/event-stream; charset=utf-8"
KEEP_ALIVE = b":\n\n"
MAX_ID = 100


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a client was: both, or neither."""

    epoch: str | None = None
    seq: int | None = None


def resume_of(last_event_id: str) -> Resume:
    """From `Last-Event-ID` or `?after=`: `<epoch>.<seq>`. Raises LiveError `bad_request`."""
    epoch, dot, seq = last_event_id.rpartition(".")
    if not dot or len(last_event_id) > MAX_ID or not seq.isascii() or not seq.isdigit():
        raise LiveError(
            ErrorCode.BAD_REQUEST,
            "`after` (or Last-Event-ID) must be the `id` of an event, as it was sent.",
            field="after",
        )
    return Resume(epoch, int(seq))


def encode(event: dict[str, Any], epoch: str) -> bytes:
    """One event. JSON holds no line break, so one `data` line is enough."""
    data = orjson.dumps(event)
    id = f"id: {epoch}.{event['seq']}\n" if "seq" in event else ""
    return f"{id}event: {event['type']}\n".encode() + b"data: " + data + b"\n\n"


async def stream(
    reader: LogReader, *, until_end_of: str | None, identity: Identity | None = None, session_key: str | None = None
) -> AsyncIterator[bytes]:
    """The response's body. Ends after the terminal event of `until_end_of`, or when the subscription or the credential
    (`identity`; `session_key` where it is the browser's) ends."""
    async with reader:
        with standing_on(reader, identity, session_key):
            reader.begin()
            # The first bytes at once: proxies and clients learn that the answer has begun.
            yield KEEP_ALIVE
            async for event in reader.events():
                if event is None:
                    yield KEEP_ALIVE
                    continue
                assert reader.subscription is not None
                yield encode(event, event.get("epoch") or reader.subscription.epoch)
                if until_end_of is not None and _ends(event, until_end_of):
                    return


def _ends(event: dict[str, Any], stream: str) -> bool:
    if event["type"] in TERMINAL_EVENTS:
        return bool(event.get("stream") == stream)
    if event["type"] == "snapshot":
        return any(each["id"] == stream and each["status"] in TERMINAL_STATUSES for each in event["state"]["streams"])
    return False
