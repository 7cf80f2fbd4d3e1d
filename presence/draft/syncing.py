"""The messages by which two documents find out what the other lacks: y-protocols' sync messages, without an envelope."""

from __future__ import annotations

from pycrdt import write_message

from hanzo_live.protocol.errors import ErrorCode, LiveError
from presence.draft.reading import Reader

STEP_1, STEP_2 = 0, 1
# The state of 2,000 clients.
MAX_SYNC_BYTES = 64 * 1024


def asked_state(message: bytes) -> bytes:
    """The state vector in a client's first step. Raises LiveError `bad_request`."""
    if len(message) > MAX_SYNC_BYTES or not message or message[0] != STEP_1:
        raise LiveError(
            ErrorCode.BAD_REQUEST, "`update` of `draft.sync` is step 1 of a Yjs sync: your state vector.",
            field="update",
        )  # fmt: skip
    reader = Reader(message[1:])
    state = reader.bytes()
    reader.finish()
    return state


def answer(update: bytes, state: bytes) -> bytes:
    """Step 2, what the client lacks, and behind it step 1, what we have: it sends the rest as an update."""
    return bytes([STEP_2]) + write_message(update) + bytes([STEP_1]) + write_message(state)
