"""Sending this process's sockets elsewhere before it ends: `goaway`, each with a time of its own, against a rush."""

from __future__ import annotations

import random

from streaming.hub import frame_of

# Sockets of one process come back within this time.
SPREAD_MS = 1_000


def send_goaway() -> None:
    """Tell every socket that the server restarts, and when to come back. Their events go on until they are closed."""
    from streaming.consumers import sockets

    for socket in list(sockets):
        event = {
            "type": "goaway",
            "reason": "The server restarts. Reconnect and resume where you were.",
            "reconnect_after_ms": random.randint(0, SPREAD_MS),
        }
        socket.writer.write(frame_of(event), force=True)
