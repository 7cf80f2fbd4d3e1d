"""What each close code says to a person, and whether trying again by itself makes sense."""

from __future__ import annotations

from hanzo_live.errors import HanzoLiveError, disconnected
from hanzo_live.protocol.closing import CLOSE_KINDS, CloseCode

_WORDS: dict[CloseCode, str] = {
    CloseCode.FRAME_TOO_LARGE: "A frame was larger than the server allows. Send less at once.",
    CloseCode.RESTART: "The server restarts.",
    CloseCode.MALFORMED: "The server did not understand this client. Update it.",
    CloseCode.UNAUTHENTICATED: "The token is wrong or expired. Use a fresh one.",
    CloseCode.FORBIDDEN: "This account may not connect here.",
    CloseCode.HELLO_TIMEOUT: "The server waited in vain for a hello.",
    CloseCode.TOO_SLOW: "This connection was too slow for its events.",
    CloseCode.RATE_LIMITED: "Too many connections. Wait before trying again.",
    CloseCode.SERVER_FULL: "The server is full. Wait before trying again.",
}


def closing(code: int | None, said: HanzoLiveError | None) -> tuple[HanzoLiveError, bool]:
    """The error (what the server `said` before it closed comes first), and whether to reconnect."""
    if code not in CLOSE_KINDS:
        return said or disconnected("The connection was lost. Check the network."), True
    known = CloseCode(code)
    kind = CLOSE_KINDS[known]
    name = kind.error.value.upper() if kind.error else "DISCONNECTED"
    return said or HanzoLiveError(name, _WORDS[known], retryable=kind.reconnect), kind.reconnect
