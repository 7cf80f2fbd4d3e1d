"""A PostgreSQL server of its own for one run, from Debian's package, in the run's scratch folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from benchmarks.process import TargetUnavailable, Workshop, free_port

USER = "postgres"  # PostgreSQL refuses to run as root


def start(shop: Workshop) -> tuple[str, str]:
    """(its URL, its version). Raises TargetUnavailable when it is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        raise TargetUnavailable("PostgreSQL is not installed: install the Debian package postgresql")
    folder, data, port = programs[-1].parent, shop.folder / "postgres", free_port()
    data.mkdir(mode=0o700)
    become: list[str] = []
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(data, account.pw_uid, account.pw_gid)
        shop.folder.chmod(0o711)
        become = [shutil.which("setpriv") or "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--"]
    made = subprocess.run(
        [*become, str(folder / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-sync"],
        cwd="/", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        raise TargetUnavailable(f"PostgreSQL's data folder could not be made: {made.stderr.strip()}")
    # fmt: off
    command = [*become, str(folder / "postgres"), "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(data)]
    # fmt: on
    child = shop.start("postgres", command, cwd=Path("/"))
    ready = [str(folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    shop.wait(child, lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL answered")
    return f"postgres://{USER}@127.0.0.1:{port}/postgres", f"PostgreSQL {folder.parent.name}"
