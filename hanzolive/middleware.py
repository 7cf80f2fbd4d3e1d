"""Headers that every page carries: what it may load, and who may frame it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

# The app brings its own scripts, styles and fonts; nothing else is loaded, so nothing else is allowed.
# `style-src-attr` lets React set widths and colours on elements.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# The admin panel's scripts and styles are files too; Alpine, which its library is built on, makes functions of the
# expressions in the page's attributes, and that is what `unsafe-eval` allows. An inline script still does not run.
PANEL = "/admin/"
PANEL_POLICY = CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'")
# The API browser's own page has an inline script of its library.
EXEMPT = "/v1/docs"


class SecurityHeadersMiddleware:
    """Adds Content-Security-Policy and Permissions-Policy to every answer that has none."""

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
        response = self.get_response(request)
        assert isinstance(response, HttpResponse) or hasattr(response, "headers")
        return self._mark(request, response)  # type: ignore[arg-type]  # a sync chain gives a response, not an awaitable

    async def _async_call(self, request: HttpRequest) -> HttpResponse:
        return self._mark(request, await self.get_response(request))  # type: ignore[misc]  # an async chain gives an awaitable

    def _mark(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not request.path.startswith(EXEMPT):
            policy = PANEL_POLICY if request.path.startswith(PANEL) else CONTENT_SECURITY_POLICY
            response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response
