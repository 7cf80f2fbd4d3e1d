"""Why the server closes a socket: the WebSocket close codes of `hanzo.live.v1`.

Before 44xx and 4503 the server sends an `error` reply with `id: null`, for some servers drop the close reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hanzo_live.protocol.errors import ErrorCode


class CloseCode(IntEnum):
    """The number in the close frame. Stable: programs compare these."""

    FRAME_TOO_LARGE = 1009
    RESTART = 1012
    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    FORBIDDEN = 4403
    HELLO_TIMEOUT = 4408
    TOO_SLOW = 4410
    RATE_LIMITED = 4429
    SERVER_FULL = 4503

    @property
    def kind(self) -> CloseKind:
        return CLOSE_KINDS[self]


@dataclass(frozen=True, slots=True)
class CloseKind:
    """What is fixed about a close code: whether to reconnect by itself, the error sent before it, what it means."""

    reconnect: bool
    error: ErrorCode | None
    meaning: str


CLOSE_KINDS: dict[CloseCode, CloseKind] = {
    CloseCode.FRAME_TOO_LARGE: CloseKind(False, None, "A frame was larger than `limits.max_frame_bytes`."),
    CloseCode.RESTART: CloseKind(True, None, "The server restarts: reconnect and resume."),
    CloseCode.MALFORMED: CloseKind(
        False,
        ErrorCode.BAD_REQUEST,
        "Three frames in a row were not a JSON object with a string `type`. A refused command never closes.",
    ),
    CloseCode.UNAUTHENTICATED: CloseKind(
        False, ErrorCode.UNAUTHENTICATED, "The credential is wrong, expired or withdrawn: sign in again."
    ),
    CloseCode.FORBIDDEN: CloseKind(False, ErrorCode.FORBIDDEN, "The Origin or Host, or the account, is not allowed."),
    CloseCode.HELLO_TIMEOUT: CloseKind(
        True, ErrorCode.UNAUTHENTICATED, "No `hello` within 10 seconds on a socket that carries no credential."
    ),
    CloseCode.TOO_SLOW: CloseKind(
        True, ErrorCode.RATE_LIMITED, "Nothing was read for 60 seconds while events waited: reconnect and resume."
    ),
    CloseCode.RATE_LIMITED: CloseKind(
        True, ErrorCode.RATE_LIMITED, "Too many sockets or handshakes: wait `retry_after`, then reconnect."
    ),
    CloseCode.SERVER_FULL: CloseKind(
        True,
        ErrorCode.BUSY,
        "The server has no room for another socket, or its database is away: wait `retry_after`, then reconnect.",
    ),
}
