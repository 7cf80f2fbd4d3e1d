"""`docs/rest.md` is true: its commands work as they stand, and no address is missing."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cli.processes import clean_environment
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
HEADING = re.compile(r"^### `([A-Z]+) (/v1/\S+)`$", re.MULTILINE)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# A refusal fails the command, and with it the script; running out of `--max-time` is how an endless one ends.
PROLOGUE = r"""
set -euo pipefail
curl() { command curl -sS --fail-with-body "$@" || { local code=$?; echo >&2; [ $code = 28 ] && echo ended >&2; }; }
"""


def test_every_address_has_its_place_on_the_page(stack: Stack) -> None:
    document = httpx.get(f"{stack.url}/v1/openapi.json", timeout=30, trust_env=False).json()
    served = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    headings = HEADING.findall(PAGE.read_text())
    assert set(headings) == served
    assert len(headings) == len(served)


def test_every_place_has_a_command_for_its_address() -> None:
    for place in PAGE.read_text().split("\n### ")[1:]:
        heading, _, rest = place.partition("\n")
        method, path = heading.strip("`").split(" ")
        command = "".join(COMMANDS.findall(rest))
        address = re.sub(r"\\\{\w+\\\}", r"[\\w$-]+", re.escape(path))
        assert re.search(rf'\$URL{address}(?=[\s"?]|$)', command), heading
        if method not in ("GET", "POST"):
            assert f"-X {method}" in command, heading


def test_the_commands_work_from_top_to_bottom(stack: Stack) -> None:
    settings, *commands = COMMANDS.findall(PAGE.read_text())
    olga, tariq = stack.people["Olga"], stack.people["Tariq"]
    given = {"URL": stack.url, "TOKEN": olga.token, "FRIEND": tariq.email, "FRIEND_TOKEN": tariq.token}
    assert set(re.findall(r"^export (\w+)=", settings, re.MULTILINE)) == set(given)
    # The name is set back: the stack is for all tests.
    script = PROLOGUE + "\nset -v\n" + "\n".join(commands)
    done = subprocess.run(
        ["bash", "-c", script],
        env=clean_environment(no_proxy="*", **given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    with stack.rest(olga) as rest:
        rest.patch("/v1/me", json={"name": "Olga"})
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    assert '"finish_reason":"stop' in done.stdout
