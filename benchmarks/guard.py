"""Runs one command and sees to it that nothing of it outlives the benchmark: `python guard.py -- command …`.

The guard dies with its parent (parent-death signal), adopts whatever the command leaves behind (child subreaper) and
kills it. It is started by file name, imports nothing of ours and does nothing else, so that it is up in an instant.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 10.0
WATCHED = {signal.SIGTERM, signal.SIGCHLD}


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap(seconds: float) -> bool:
    """Waits for children to end; True when none is left."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


def _end_all(first: int) -> None:
    if first in _children():
        _signal(first, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while first in _children() and time.monotonic() < deadline:
        if os.waitpid(first, os.WNOHANG)[0]:
            break
        time.sleep(0.01)
    while not _reap(0.05):  # whatever is left has been adopted by now, generation by generation
        for pid in _children():
            _signal(pid, signal.SIGKILL)


def _run(command: list[str], guard: int) -> None:
    """In the child: becomes the command."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]} does not start: {error.strerror}", file=sys.stderr)
        os._exit(127)


def main() -> int:
    command = sys.argv[sys.argv.index("--") + 1 :]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the parent decides
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:  # the parent died before the line above
        return 1
    guard = os.getpid()
    first = os.fork()
    if first == 0:
        _run(command, guard)
    while True:
        if signal.sigwait(WATCHED) == signal.SIGTERM:
            _end_all(first)
            return 0
        while True:  # several ends may stand behind one signal
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == first:
                _end_all(first)
                return os.waitstatus_to_exitcode(status) & 0xFF
            if pid == 0:
                break


if __name__ == "__main__":
    sys.exit(main())
