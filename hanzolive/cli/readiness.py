"""How a child that has no address of its own tells the supervisor that it is ready: one write to a pipe."""

from __future__ import annotations

import contextlib
import os

READY_FD = "HANZO_LIVE_READY_FD"


def say_ready() -> None:
    """Tell the supervisor, if there is one; at most once."""
    number = os.environ.pop(READY_FD, None)
    if number is not None:
        with contextlib.suppress(BrokenPipeError):  # it no longer waits: something else failed to start
            os.write(int(number), b"ready")
        os.close(int(number))
