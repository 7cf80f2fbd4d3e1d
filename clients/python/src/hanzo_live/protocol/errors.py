"""The error tree: one class, one code each, words for a person.

Every refusal that leaves the server, on any transport, is one `LiveError`. The codes are the wire's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class ErrorCode(str, Enum):
    """Why something was refused or failed. Stable: programs compare these."""

    # As `enum.StrEnum` has them, which Python 3.10 has not: a code reads as its value.
    __str__ = str.__str__

    BAD_REQUEST = "bad_request"
    UNKNOWN_COMMAND = "unknown_command"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    NODE_UNAVAILABLE = "node_unavailable"
    NODE_ERROR = "node_error"
    NODE_TIMEOUT = "node_timeout"
    STREAM_TIMEOUT = "stream_timeout"
    STREAM_INTERRUPTED = "stream_interrupted"
    CONTEXT_LENGTH = "context_length"
    TOOL_FAILED = "tool_failed"
    CONTENT_FILTERED = "content_filtered"
    LOCAL_ONLY = "local_only"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """What is fixed about a code: its HTTP status, whether the same request may succeed later, what it means."""

    http_status: int
    retryable: bool
    meaning: str


ERROR_KINDS: dict[ErrorCode, ErrorKind] = {
    ErrorCode.BAD_REQUEST: ErrorKind(400, False, "A field is missing, of the wrong type, or out of bounds."),
    ErrorCode.UNKNOWN_COMMAND: ErrorKind(400, False, "The command's type is not one of this protocol."),
    ErrorCode.UNAUTHENTICATED: ErrorKind(401, False, "No credential, or a wrong or expired one."),
    ErrorCode.FORBIDDEN: ErrorKind(403, False, "Signed in, but not allowed to do this."),
    ErrorCode.NOT_FOUND: ErrorKind(404, False, "It does not exist, or you may not know that it does."),
    ErrorCode.CONFLICT: ErrorKind(409, False, "It clashes with what is there or running now."),
    ErrorCode.RATE_LIMITED: ErrorKind(429, True, "Too many requests in a short time."),
    ErrorCode.TOO_LARGE: ErrorKind(413, False, "Larger than the documented limit."),
    ErrorCode.BUSY: ErrorKind(503, True, "No free slot for another stream."),
    ErrorCode.NODE_UNAVAILABLE: ErrorKind(503, True, "The inference node cannot be reached."),
    ErrorCode.NODE_ERROR: ErrorKind(502, True, "The inference node refused or failed."),
    ErrorCode.NODE_TIMEOUT: ErrorKind(504, True, "The inference node did not answer in time."),
    ErrorCode.STREAM_TIMEOUT: ErrorKind(504, True, "The answer took longer than the operator allows."),
    ErrorCode.STREAM_INTERRUPTED: ErrorKind(502, True, "The answer was cut off before its end."),
    ErrorCode.CONTEXT_LENGTH: ErrorKind(400, False, "The conversation is longer than the model can read."),
    ErrorCode.TOOL_FAILED: ErrorKind(502, True, "A tool that the answer needed failed."),
    ErrorCode.CONTENT_FILTERED: ErrorKind(422, False, "The node's content filter refused it."),
    ErrorCode.LOCAL_ONLY: ErrorKind(503, True, "The stream may only run on a local node, and none is there."),
    ErrorCode.INTERNAL: ErrorKind(500, True, "Our fault; it was logged."),
}


class LiveError(Exception):
    """A refusal or failure that a person or program is told about.

    `message` says what happened and what to do next, and holds no secret. `field` names the input at fault.
    `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        retryable: bool | None = None,
        retry_after: float | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = ERROR_KINDS[code].retryable if retryable is None else retryable
        self.retry_after = retry_after
        self.field = field

    @property
    def http_status(self) -> int:
        return ERROR_KINDS[self.code].http_status

    def wire(self, id: int | str | None = None) -> dict[str, Any]:
        """The `error` reply of the socket and the body of a REST error."""
        return {
            "type": "error",
            "id": id,
            "code": self.code.value,
            "message": self.message,
            "retryable": self.retryable,
            "retry_after": self.retry_after,
            "field": self.field,
        }
