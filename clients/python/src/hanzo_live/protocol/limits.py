"""The documented defaults of what one client may ask, and the classes that flush intervals fall into.

Each is a setting of the server; these are the defaults that the documents name.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

FLUSH_CLASSES_MS = (0, 16, 33, 50, 100, 250, 500, 1000)
"""Sockets that asked for nearly the same interval share one class, so that one frame serves them all."""


def flush_class(flush_ms: int | None) -> int:
    """The interval that is used for the one asked for: rounded up to a class, at most 1000; none means 0."""
    if flush_ms is None or flush_ms <= 0:
        return 0
    return FLUSH_CLASSES_MS[min(bisect_left(FLUSH_CLASSES_MS, flush_ms), len(FLUSH_CLASSES_MS) - 1)]


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """Sizes in bytes, times in seconds, the rest counts."""

    max_frame_bytes: int = 1_048_576
    max_subscriptions: int = 100
    max_streams: int = 32
    sockets_per_user: int = 1_000
    sockets_per_address: int = 1_000
    handshakes_per_second: int = 200
    hello_timeout_s: int = 10
    heartbeat_s: int = 25
    slow_client_timeout_s: int = 60
    malformed_frames: int = 3


DEFAULT_LIMITS = DefaultLimits()
