"""The addresses that machines ask: `/health`, `/ready`, `/metrics`.

They answer before everything else, under any host name (a probe asks by the container's address) and without a
database where they can.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from hanzo_live.protocol.errors import LiveError
from hanzolive.counting import VARIABLE, forget_states_of_dead
from hanzolive.health import readiness
from sessions.access import sign_in_needed
from sessions.api.errors import error_response
from sessions.authentication import bearer_of, identity_of_cookie, identity_of_token
from streaming.cache.looking import CacheEntries
from streaming.queued import StreamsQueued

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


class ProbeMiddleware:
    """Answers the probes itself and lets everything else pass."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        probe = PROBES.get(request.path)
        if probe is None:
            return self.get_response(request)
        if iscoroutinefunction(self):
            return sync_to_async(partial(probe, request))()
        return probe(request)


def health(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> HttpResponse:
    status, body = readiness()
    return JsonResponse(body, status=status)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's text, for this machine, for who has METRICS_TOKEN, and for admins."""
    try:
        if not (is_this_machine(request) or has_metrics_token(request) or is_admin(request)):
            raise sign_in_needed()
    except LiveError as error:
        return error_response(error)
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """All that the processes of this machine count, where they count together; else what this one counts."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return REGISTRY
    forget_states_of_dead(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
    ProcessCollector(registry=registry)
    registry.register(CacheEntries())
    registry.register(StreamsQueued())
    return registry


def is_this_machine(request: HttpRequest) -> bool:
    """Whether the request began on this machine, and was not passed on by a proxy that runs here."""
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def has_metrics_token(request: HttpRequest) -> bool:
    wanted, given = settings.METRICS_TOKEN, bearer_of(request.headers)
    return bool(wanted and given) and secrets.compare_digest(wanted.encode(), (given or "").encode())


def is_admin(request: HttpRequest) -> bool:
    """Whether an admin asks, by API token or signed in. Raises LiveError for a token that is not valid."""
    raw = bearer_of(request.headers)
    identity = (
        identity_of_token(raw)
        if raw is not None
        else identity_of_cookie(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    )
    return identity is not None and identity.user is not None and identity.user.is_staff


PROBES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health": health,
    "/healthz": health,
    "/ready": ready,
    "/readyz": ready,
    "/metrics": metrics,
}
