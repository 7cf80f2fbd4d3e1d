"""Helpers for tests that speak REST."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client


def call(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The answer to one call with a JSON body."""
    text = "" if body is None else json.dumps(body)
    return client.generic(method, path, text, "application/json", headers=headers)


def walk(client: Client, path: str) -> tuple[list[Any], list[str]]:
    """All results along `next`, page by page, and the addresses of the pages."""
    results: list[Any] = []
    addresses = [path]
    while True:
        page = call(client, "GET", addresses[-1]).json()
        results.append(page["results"])
        if page["next"] is None:
            return results, addresses
        addresses.append(page["next"])


def assert_is_error(response: Any, status: int, code: str) -> dict[str, Any]:
    """The body, after looking that it is the one documented error object."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert set(body) == {"type", "id", "code", "message", "retryable", "retry_after", "field"}
    assert (body["type"], body["code"]) == ("error", code), body
    assert body["message"]
    return body
