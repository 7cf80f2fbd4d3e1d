"""hatchling's build hook: a wheel carries the pages' bundled assets; `make run` builds them itself for a checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in the stubs only
    """Runs npm where the assets are not there yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sources = Path(self.root) / "clients" / "js"
        if version == "editable" or (Path(self.root) / "hanzolive" / "static" / "app").is_dir():
            return
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("The pages' assets are built with npm: install Node 20 or newer, then build again.")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=sources, check=True)
        subprocess.run([npm, "run", "build"], cwd=sources, check=True)
