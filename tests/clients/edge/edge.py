"""An edge in front of a server: a Worker in the real runtime (workerd), with the package as npm installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.processes import clean_environment
from tests.clients.javascript.project import JS, project

HERE = Path(__file__).parent
SHIPPED = Path(__file__).parents[3] / "deploy" / "cloudflare"


@contextmanager
def edge(folder: Path, worker: str, node_url: str) -> Iterator[str]:
    """The origin of an edge that runs the module `worker` before the server at `node_url`, until the end of the block.

    It is configured by the `wrangler.toml` that ships.
    """
    place = project(folder).folder
    package = place / "node_modules" / "@hanzo" / "live-edge"
    package.mkdir()
    shutil.copy(JS / "live-edge" / "package.json", package)
    shutil.copytree(JS / "live-edge" / "dist", package / "dist")
    (place / "worker.ts").write_text(worker)
    configuration = json.dumps(tomllib.loads((SHIPPED / "wrangler.toml").read_text()))
    process = subprocess.Popen(
        ["node", str(HERE / "serve.mjs"), str(place / "worker.ts"), configuration, node_url],
        env=clean_environment(PACKAGES=str(JS / "package.json"), no_proxy="*"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        origin = process.stdout.readline().strip()
        assert origin, "The edge did not start; its words are above."
        yield origin
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
