"""The OpenAPI document is true: it is valid, and whatever is generated from it is answered as it says.

How much is generated: `FUZZ_EXAMPLES` a kind of operation, a handful unless it is set.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from openapi_spec_validator import validate
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup

from tests.integration.stack import Stack

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
pytestmark = pytest.mark.timeout(150 + EXAMPLES * 60)

CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
# Twisted closes the connection on a line of more than 16 KiB, before there is a request that could be answered.
MAX_URL = 8000
# Endless where the session is there; opened by hand in test_sse.
ENDLESS = ("sessions_events",)
NO_LIMITS = dict.fromkeys(
    (
        "MAX_READS_PER_MINUTE", "MAX_WRITES_PER_MINUTE", "MAX_STREAM_STARTS_PER_MINUTE", "MAX_SEARCHES_PER_MINUTE",
        "MAX_INVITATIONS_PER_HOUR", "MAX_WRONG_INVITATIONS_PER_10_MINUTES", "MAX_WRONG_TOKENS_PER_MINUTE",
    ),
    "0",
)  # fmt: skip


@pytest.fixture(scope="module")
def open_stack(start: Callable[..., Stack]) -> Stack:
    """A server that does not count how often it is asked."""
    return start(people=("Olga",), **NO_LIMITS)


@pytest.fixture(scope="module")
def document(open_stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{open_stack.url}/v1/openapi.json", timeout=30, trust_env=False).json()
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert set(document["components"]["securitySchemes"]) == {"token", "cookie"}


def test_every_operation_says_who_may_come_and_every_refusal_its_shape(document: dict[str, Any]) -> None:
    for operation in operations(document):
        assert operation["description"], operation["operationId"]
        assert {"token": []} in operation["security"], operation["operationId"]
        for status, response in operation["responses"].items():
            assert response.get("description") or status < "400", operation["operationId"]
            if status >= "400":
                shape = response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert shape == ("OpenAIErrorShape" if operation["operationId"] == "chat_completions" else "ErrorShape")


def url_of(case: Case, base_url: str) -> str:
    call = case.as_transport_kwargs(base_url=base_url)
    return f"{call['url']}?{urlencode(call.get('params') or {}, doseq=True)}"


@pytest.fixture(scope="module")
def fuzzed(open_stack: Stack, document: dict[str, Any]) -> Iterator[Fuzzed]:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(document).exclude(operation_id=list(ENDLESS))
    with open_stack.rest(open_stack.people["Olga"]) as rest:
        yield Fuzzed(schema, rest)


class Fuzzed:
    """Calls what is generated, with a session that is there in about half of the cases."""

    def __init__(self, schema: BaseSchema, rest: httpx.Client) -> None:
        self._rest = rest
        self._operations = {found.ok().label: found.ok() for found in schema.get_all_operations()}
        self._checks = [CHECKS.get_one(name) for name in CHECKED]

    @property
    def labels(self) -> list[str]:
        return list(self._operations)

    def real(self, name: str) -> str | None:
        if name != "ref":
            return None
        made = self._rest.post("/v1/sessions", json={"title": "Fuzz", "slug": "fuzz"})
        assert made.status_code in (201, 409), made.text  # there already, unless it was deleted or has another slug
        return "fuzz"

    def run(self, label: str, mode: GenerationMode) -> None:
        operation = self._operations[label]

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy(generation_mode=mode), really=booleans())
        def call(case: Case, really: bool) -> None:
            for name in case.path_parameters or {}:
                if really and (found := self.real(name)):
                    case.path_parameters[name] = found
            base_url, headers = str(self._rest.base_url), dict(self._rest.headers)
            assume(len(url_of(case, base_url)) < MAX_URL)
            case.call_and_validate(base_url=base_url, headers=headers, checks=self._checks, timeout=60)

        call()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_what_is_generated_from_it_is_answered_as_it_says(fuzzed: Fuzzed, mode: GenerationMode) -> None:
    faults = []
    for label in fuzzed.labels:
        try:
            fuzzed.run(label, mode)
        except Unsatisfiable:
            continue  # nothing of the operation can be wrong
        except (Failure, FailureGroup) as failure:
            faults.append(f"{label}: {failure}")
    assert not faults, "\n\n".join(faults)
