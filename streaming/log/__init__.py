"""The ordered, replayable log of a session or a stream, in Redis. `script` is what it says to Redis, `client` who says it."""

from streaming.log.client import UNREACHABLE, BlockingLog, LogWriter
from streaming.log.script import (
    Appended,
    Entry,
    Head,
    LogBehind,
    LogEvent,
    LogFenced,
    LogUnavailable,
    Page,
)

__all__ = [
    "UNREACHABLE",
    "Appended",
    "BlockingLog",
    "Entry",
    "Head",
    "LogBehind",
    "LogEvent",
    "LogFenced",
    "LogUnavailable",
    "LogWriter",
    "Page",
]
