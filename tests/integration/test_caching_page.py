"""`docs/caching.md` is true: its commands, as they stand, show what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.processes import clean_environment
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(150)

PAGE = Path(__file__).parents[2] / "docs" / "caching.md"
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPENAI = re.compile(
    r'"object": ?"chat\.completion(|\.chunk)", ?"created": ?\d+, ?"model": ?"[^"]+", ?"cached": ?"exact"'
)
CACHED = re.compile(r'"type":"complete".*?"cached":(null|"\w+")')


def test_its_commands_show_what_it_says(stack: Stack) -> None:
    _, *commands = COMMANDS.findall(PAGE.read_text())
    with stack.rest(stack.people["Olga"]) as rest:
        rest.delete("/v1/cache")  # what other tests had kept for her
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; echo; }\n' + "\n".join(commands),
        ],
        env=clean_environment(no_proxy="*", URL=stack.url, TOKEN=stack.people["Olga"].token),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert CACHED.findall(done.stdout) == ["null", '"exact"', "null", '"semantic"'], done.stdout
    whole, *chunks = OPENAI.findall(done.stdout)
    assert (whole, set(chunks)) == ("", {".chunk"}), done.stdout
    assert re.findall(r'"purged":(\d+)', done.stdout) == ["2", "0"]


def test_metrics_count_what_was_found(stack: Stack) -> None:
    with stack.rest(stack.people["Olga"]) as rest:
        rest.post("/v1/streams", json={"content": "never asked", "cache": {"enabled": True}})
        text = rest.get("/metrics").text
    assert "hanzo_live_cache_misses_total" in text
    assert "hanzo_live_cache_entries " in text
