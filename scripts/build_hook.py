"""hatchling's build hook: a wheel carries the templates and the pages' assets. A checkout has both where they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]  # generic in the stubs only
    """Puts in the templates, and runs npm where the assets are not there yet."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        build_data["force_include"]["templates"] = "hanzolive/templates"
        if not (Path(self.root) / "hanzolive" / "static" / "app").is_dir():
            self._build_assets(Path(self.root) / "clients" / "js")

    def _build_assets(self, sources: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise RuntimeError("The pages' assets are built with npm: install Node 20.19 or newer, then build again.")
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=sources, check=True)
        subprocess.run([npm, "run", "build"], cwd=sources, check=True)
