"""The clients that come into the scenarios, each through a driver in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.processes import clean_environment
from tests.clients.javascript.project import project
from tests.contract.conformance.scenario import Kind

DRIVERS = Path(__file__).parent / "drivers"


@dataclass(frozen=True)
class Client:
    """`name` is the column's in the table; `how` is the driver's word for it."""

    id: str
    name: str
    kind: Kind
    language: str
    how: str


CLIENTS = (
    Client("ts-socket", "`@hanzo/live-client`", "websocket", "js", "websocket"),
    Client("ts-sse", "`HanzoLiveSSE` (TypeScript)", "sse", "js", "sse"),
    Client("ts-store", "the store of `@hanzo/live`", "store", "js", "store"),
    Client("ts-edge", "`@hanzo/live-client` through `@hanzo/live-edge`", "edge", "js", "websocket"),
    Client("py-asyncio", "`AsyncHanzoLiveClient`", "websocket", "python", "asyncio"),
    Client("py-threads", "`HanzoLiveClient` (Python)", "websocket", "python", "threads"),
    Client("py-sse", "`HanzoLiveSSE` (Python)", "sse", "python", "sse"),
    Client("py-sse-asyncio", "`AsyncHanzoLiveSSE`", "sse", "python", "sse-asyncio"),
)


def start(client: Client, jobs: Sequence[dict[str, Any]], place: Path) -> subprocess.Popen[str]:
    """The driver at work on all of its `jobs` at once; `place` is an empty folder."""
    script = DRIVERS / ("driver.mjs" if client.language == "js" else "driver.py")
    if client.language == "js":
        script = _in_a_project(place, script)
    command = ["node"] if client.language == "js" else [sys.executable]
    process = subprocess.Popen(
        [*command, str(script), client.how],
        env=clean_environment(no_proxy="*"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(jobs))
    process.stdin.close()
    process.stdin = None
    return process


def outcomes(process: subprocess.Popen[str], seconds: float) -> list[Any]:
    """What the driver says. Fails the test, with all it said, where it fails."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    assert process.returncode == 0, f"{err[-3000:]}\n{out[-2000:]}"
    return list(json.loads(out))


def _in_a_project(place: Path, script: Path) -> Path:
    """A copy of it beside the packages, as npm installs them."""
    copy = project(place).folder / script.name
    copy.write_text(script.read_text())
    return copy
