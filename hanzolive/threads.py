"""How threads of one process take turns: web processes and workers have one event loop and threads that wait for it."""

from __future__ import annotations

import sys

# CPython's default of 5 ms is what a thread waits for while another computes. A stream's start passes from thread to
# thread about eight times, and under load each pass waited that long.
SWITCH_INTERVAL_S = 0.0005


def hand_over_quickly() -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
