"""What the client raises: one class, whose `code` programs compare and whose message people read.

Not the wire's own refusals, which are `protocol.errors`; this is how they reach who called the client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STREAM_INTERRUPTED = "STREAM_INTERRUPTED"
DISCONNECTED = "DISCONNECTED"
"""The client's own code: the connection ended before the server answered."""


class HanzoLiveError(Exception):
    """Something failed. `code` is the wire's in upper case, or `DISCONNECTED`.

    `retryable`: the same request may succeed later, after `retry_after` seconds where the server says so. `field` names
    the input at fault. `stream` and `text` are the stream that failed and what had arrived of it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        field: str | None = None,
        stream: str | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.field = field
        self.stream = stream
        self.text = text

    @classmethod
    def from_wire(
        cls, body: Mapping[str, Any], *, stream: str | None = None, text: str | None = None
    ) -> HanzoLiveError:
        """The error that an `error` reply, an `error` event or the body of a REST error describes."""
        code = str(body.get("code") or "internal")
        return cls(
            code.upper(),
            str(body.get("message") or f"The server refused this: {code}."),
            retryable=bool(body.get("retryable")),
            retry_after=body.get("retry_after"),
            field=body.get("field"),
            stream=stream,
            text=text,
        )


def disconnected(message: str) -> HanzoLiveError:
    """The connection is not there, or no longer."""
    return HanzoLiveError(DISCONNECTED, message, retryable=True)
