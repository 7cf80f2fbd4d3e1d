"""The contract: every command, event, error and close code of `hanzo.live.v1`, once."""

from hanzo_live.protocol.errors import ERROR_KINDS, ErrorCode, ErrorKind, LiveError

__all__ = ["ERROR_KINDS", "ErrorCode", "ErrorKind", "LiveError"]
