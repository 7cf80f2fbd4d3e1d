"""Refusing calls of `/v1` that a foreign web page makes through somebody's browser.

The headers that let allowed pages read the answers are django-cors-headers'. Without this, a page could still send
what needs no answer to a loopback server that asks for no credential.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.api.errors import error_response
from sessions.origins import is_allowed_origin

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class OriginMiddleware:
    """Answers 403 to a request below `/v1/` whose Origin is neither ours nor allowed."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        refused = refusal(request)
        if refused is None:
            return self.get_response(request)
        return _soon(refused) if iscoroutinefunction(self) else refused


def refusal(request: HttpRequest) -> HttpResponseBase | None:
    """The answer to a call of a page that may not make it, else None."""
    origin = request.headers.get("Origin")
    if origin is None or not request.path.startswith("/v1/") or is_allowed_origin(origin, request.get_host()):
        return None
    message = "Pages of that origin may not call this server. Its operator can allow it with ALLOWED_ORIGINS."
    return error_response(LiveError(ErrorCode.FORBIDDEN, message))


async def _soon(response: HttpResponseBase) -> HttpResponseBase:
    return response
