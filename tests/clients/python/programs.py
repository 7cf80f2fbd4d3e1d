"""Programs as a user writes them, run in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.processes import clean_environment

PAGE_RUNNER = Path(__file__).with_name("page.py")


def example(place: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One example, run to its end."""
    file = place / "example.py"
    file.write_text(source)
    return subprocess.run(
        [sys.executable, str(PAGE_RUNNER), str(file)],
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
