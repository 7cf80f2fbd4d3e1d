"""A Node project with `@hanzo/live-client` as npm installs it: what is built and packed, and nothing of its sources."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.cli.processes import clean_environment

JS = Path(__file__).parents[3] / "clients" / "js"


@dataclass(frozen=True)
class Project:
    """A folder whose scripts import the package by its name."""

    folder: Path

    def run(self, script: Path, **environment: str) -> str:
        """What the script prints. Fails the test, with all it said, where it fails."""
        copy = self.folder / script.name
        if copy != script:
            shutil.copy(script, copy)
        done = subprocess.run(
            ["node", "--unhandled-rejections=strict", copy.name],
            cwd=self.folder,
            env=clean_environment(no_proxy="*", **environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{script.name}:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout


def project(folder: Path, *, ws: bool = True) -> Project:
    """An empty project in `folder` with the client, and with its optional peer `ws`."""
    package = folder / "node_modules" / "@hanzo" / "live-client"
    package.mkdir(parents=True)
    shutil.copy(JS / "live-client" / "package.json", package)
    shutil.copytree(JS / "live-client" / "dist", package / "dist")
    (folder / "package.json").write_text(json.dumps({"name": "a-project", "private": True, "type": "module"}))
    if ws:
        (folder / "node_modules" / "ws").symlink_to(JS / "node_modules" / "ws")
    return Project(folder)
