"""One id for a request, from whoever sends it to every log line that it causes, and back.

A stream's own id goes on from there: in the workers' lines, and to the node.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

HEADER = "X-Request-Id"
# What others give goes into our log lines: nothing that could be taken for more than an id.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def id_of(request: HttpRequest) -> str:
    """The id that the caller, or a proxy, gave; else a new one."""
    given = request.headers.get(HEADER, "")
    return given if _GIVEN.fullmatch(given) else secrets.token_hex(8)


class RequestIdMiddleware:
    """Names the request in the log lines written meanwhile, and in its answer."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if self.is_async:
            return self._async_call(request)
        id = id_of(request)
        with bound_contextvars(request=id):
            response = cast(HttpResponse, self.get_response(request))
        response.headers[HEADER] = id
        return response

    async def _async_call(self, request: HttpRequest) -> HttpResponse:
        id = id_of(request)
        with bound_contextvars(request=id):
            response = await cast("Awaitable[HttpResponse]", self.get_response(request))
        response.headers[HEADER] = id
        return response
