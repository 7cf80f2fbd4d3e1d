"""Nothing that a benchmark starts outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.process import GUARD, ROOT, TargetUnavailable, workshop

# Starts a grandchild that leaves its process group, says both ids, and ignores a polite end.
STUBBORN = (
    "import os, signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN) if len(sys.argv) > 1 else None\n"
    "far = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
    "print(os.getpid(), far.pid, flush=True)\n"
    "time.sleep(600)\n"
)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_stopping_ends_a_whole_tree_also_what_left_its_group() -> None:
    with workshop() as shop:
        child = shop.start("stubborn", [sys.executable, "-c", STUBBORN])
        until(lambda: len(child.output.read_text().split()) == 2)
        pids = [int(pid) for pid in child.output.read_text().split()]
        assert set(child.pids) == set(pids)
        child.stop()
        assert all(gone(pid) for pid in pids)
    assert not shop.folder.exists()


def test_a_killed_harness_leaves_nothing_behind() -> None:
    harness = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, *sys.argv[1:]])\n"
    )  # fmt: skip
    parent = subprocess.Popen(
        [sys.executable, "-c", harness, str(GUARD), "--", sys.executable, "-c", STUBBORN],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    below = measure.descendants(parent.pid)
    assert set(pids) < set(below)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: all(gone(pid) for pid in below))


def test_a_command_that_ends_says_its_last_words() -> None:
    with workshop() as shop:
        child = shop.start("short", ["sh", "-c", "echo no licence found; exit 3"])
        with pytest.raises(TargetUnavailable, match="no licence found"):
            shop.wait(child, lambda: False, "it answered")
        assert child.guard.returncode == 3


def test_a_command_that_does_not_exist_is_named() -> None:
    with workshop() as shop:
        child = shop.start("absent", ["/nowhere/program"])
        with pytest.raises(TargetUnavailable, match="/nowhere/program does not start"):
            shop.wait(child, lambda: False, "it answered")
