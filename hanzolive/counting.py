"""Where the processes of one machine count for Prometheus, so that one `/metrics` tells of all of them.

Each process writes files of its own in one folder (prometheus_client's multiprocess mode); a scrape adds them up. A
process that was restarted counts on in a new file. Light: the supervisor and the commands import it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# prometheus_client reads it when it is imported: it must be there when a process starts.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def shared(data: Path) -> dict[str, str]:
    """The environment of a process that counts with the others of this data folder."""
    return {VARIABLE: str(data / "metrics")}


def begin_anew(data: Path) -> None:
    """Make the folder, and forget what processes counted that are no more: a scrape sees that as a restart."""
    folder = data / "metrics"
    folder.mkdir(exist_ok=True)
    _forget_dead(folder, "*.db")


def forget_states_of_dead(folder: Path) -> None:
    """A process that is gone has no open sockets and carries no streams; what it had counted stays counted."""
    _forget_dead(folder, "gauge_live*.db")


def _forget_dead(folder: Path, files: str) -> None:
    for file in folder.glob(files):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            with contextlib.suppress(FileNotFoundError):
                file.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
