"""`docs/rest.md` is true: its commands work as they stand, and no address is missing."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.cli.processes import clean_environment
from tests.integration.calls import RECORDING, Call, calls_in, shown
from tests.integration.stack import Stack

pytestmark = pytest.mark.timeout(180)

PAGE = Path(__file__).parents[2] / "docs" / "rest.md"
HEADING = re.compile(r"^### `([A-Z]+) (/v1/\S+)`$", re.MULTILINE)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

EXAMPLES = Path(__file__).parents[2] / "sessions" / "api" / "examples.json"
# The document itself.
NO_EXAMPLE = ("openapi_read",)


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


@pytest.fixture(scope="module")
def document(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{stack.url}/v1/openapi.json", timeout=30, trust_env=False).json()
    return found


def test_the_commands_work_from_top_to_bottom_and_are_answered_as_the_document_says(
    stack: Stack, document: dict[str, Any], tmp_path: Path
) -> None:
    settings, *commands = COMMANDS.findall(PAGE.read_text())
    olga, tariq = stack.people["Olga"], stack.people["Tariq"]
    given = {"URL": stack.url, "TOKEN": olga.token, "FRIEND": tariq.email, "FRIEND_TOKEN": tariq.token}
    assert set(re.findall(r"^export (\w+)=", settings, re.MULTILINE)) == set(given)
    # The name is set back: the stack is for all tests.
    done = subprocess.run(
        ["bash", "-c", RECORDING + "\nset -v\n" + "\n".join(commands)],
        env=clean_environment(no_proxy="*", CALLS=str(tmp_path), **given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    with stack.rest(olga) as rest:
        rest.patch("/v1/me", json={"name": "Olga"})
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    assert '"finish_reason":"stop' in done.stdout

    examples: dict[str, dict[str, Any]] = {}
    for call in calls_in(tmp_path):
        operation = operation_of(document, call)
        name = operation["operationId"]
        for part, value, schema in (
            ("request", call.body, body_schema(operation)),
            ("response", call.answer, answer_schema(operation, call.status)),
        ):
            if value is None:
                continue
            assert schema is not None, f"{name}: its {part} is not in the document"
            check(document, schema, value, f"{name}, {part}")
            examples.setdefault(name, {}).setdefault(part, shown(value, stack.url))
    if os.environ.get("WRITE_EXAMPLES"):
        EXAMPLES.write_text(json.dumps(examples, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    # Moments and ids differ from run to run; what is there, and what it is like, does not.
    assert {name: set(parts) for name, parts in examples.items()} == {
        name: set(parts) for name, parts in json.loads(EXAMPLES.read_text()).items()
    }, "Write them anew: WRITE_EXAMPLES=1 .venv/bin/pytest tests/integration/test_rest_page.py"


def test_every_body_in_the_document_has_an_example_that_is_true(document: dict[str, Any]) -> None:
    missing = []
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            bodies = [("request", operation.get("requestBody", {}))]
            bodies += [(status, answer) for status, answer in operation["responses"].items() if status < "300"]
            for part, body in bodies:
                content = body.get("content", {}).get("application/json")
                if content is None or name in NO_EXAMPLE:
                    continue
                if "example" not in content:
                    missing.append(f"{name}, {part}")
                else:
                    check(document, content["schema"], content["example"], f"{name}, {part}")
    assert not missing


def operation_of(document: dict[str, Any], call: Call) -> dict[str, Any]:
    for path, methods in document["paths"].items():
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), call.path) and call.method.lower() in methods:
            found: dict[str, Any] = methods[call.method.lower()]
            return found
    raise AssertionError(f"{call.method} {call.path} is not in the document")


def body_schema(operation: dict[str, Any]) -> Any:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")


def answer_schema(operation: dict[str, Any], status: int) -> Any:
    return operation["responses"][str(status)].get("content", {}).get("application/json", {}).get("schema")


def check(document: dict[str, Any], schema: dict[str, Any], value: Any, what: str) -> None:
    """Raises AssertionError where `value` is not as `schema` of the document says."""
    validator = Draft202012Validator({**schema, "components": document["components"]})
    faults = [f"{what}: {'/'.join(map(str, fault.path))}: {fault.message}" for fault in validator.iter_errors(value)]
    assert not faults, faults
