"""What the OpenAPI document says besides the views: the two credentials, and the one error object everywhere."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from sessions.api.serializers import ErrorShape

# What an operation may answer besides what all may.
NOT_FOUND, CONFLICT, TOO_LARGE, UNAVAILABLE = "404", "409", "413", "503"
NODE_FAILS = ("502", "504")
REFUSALS: dict[str, tuple[str, ...]] = {
    "sessions_create": (CONFLICT,),
    "sessions_update": (CONFLICT,),
    "sessions_delete": (CONFLICT,),
    "messages_send": (CONFLICT,),
    "members_add": (CONFLICT,),
    "members_update": (CONFLICT,),
    "members_remove": (CONFLICT,),
    "invitations_create": (CONFLICT,),
    "invitations_read": (CONFLICT,),
    "invitations_accept": (CONFLICT,),
    "invitations_decline": (CONFLICT,),
    "queue_take_back": (CONFLICT,),
    "cache_purge": (NOT_FOUND,),
    "search": (NOT_FOUND,),
    "streams_list": (NOT_FOUND,),
    "streams_start": (NOT_FOUND, CONFLICT),
    "chat_completions": ("422", *NODE_FAILS),
    "models_list": NODE_FAILS,
    "tokens_create": (CONFLICT,),
}
MEANINGS = {
    "400": "A value, or the body as a whole, is not as it must be: `field` says which.",
    "401": "No credential, or a wrong one.",
    "403": "You may see it, and may not do this; or the token may only read, or the page may not ask.",
    NOT_FOUND: "It is not there, or you may not know that it is.",
    CONFLICT: "It clashes with what is there or runs now.",
    TOO_LARGE: "Larger than this server takes.",
    "415": "The body is not JSON.",
    "422": "The node's content filter refused it.",
    "429": "Too often: try again after `retry_after` seconds.",
    "500": "Our fault; it was logged.",
    "502": "The node failed.",
    UNAVAILABLE: "Something that is needed cannot be reached, or is full. Try again after `retry_after` seconds.",
    "504": "The node, or the answer, took too long.",
}


class LiveSchema(AutoSchema):
    """Says of every operation how it may refuse, and in which shape."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        shape = getattr(self.view, "error_shape", ErrorShape)
        for status in self._refusals():
            error = self._get_response_for_code(shape, status, ["application/json"], direction)  # type: ignore[no-untyped-call]
            bodies[status] = {**error, "description": MEANINGS[status]}
        return bodies

    def _refusals(self) -> list[str]:
        found = {"401", "403", "429", "500", UNAVAILABLE, *REFUSALS.get(self.get_operation_id(), ())}
        body = self._get_request_body()  # type: ignore[no-untyped-call]
        takes_body = self.method in ("POST", "PUT", "PATCH") and body is not None
        if takes_body:
            found |= {"400", TOO_LARGE, "415"}
        if any(parameter["in"] == "query" for parameter in self._get_parameters()):
            found.add("400")
        if "{" in self.path:
            found.add("404")
        return sorted(found)


@cache
def _examples() -> dict[str, dict[str, Any]]:
    """By operation: a `request` and a `response` that were seen, as the test of docs/rest.md wrote them down."""
    found: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text("utf-8"))
    return found


def add_examples(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A hook of drf-spectacular: puts the examples beside the bodies that they are examples of."""
    for methods in result["paths"].values():
        for operation in methods.values():
            seen = _examples().get(operation["operationId"], {})
            bodies = [("request", operation.get("requestBody", {}))]
            bodies += [("response", answer) for status, answer in operation["responses"].items() if status < "300"]
            for part, body in bodies:
                content = body.get("content", {}).get("application/json")
                if content is not None and part in seen:
                    content["example"] = seen[part]
    return result


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "sessions.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token. Also taken from `x-api-key`."}


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "sessions.api.authentication.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The signed-in browser, with `X-CSRFToken`.",
        }
