"""How often somebody may do what could be used to guess or to flood. Counted in Redis, so for all processes together."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class WriteThrottle(SimpleRateThrottle):
    """Limits methods that change something to `rate` a user. Reads pass."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        return request.method in ("GET", "HEAD", "OPTIONS") or super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"throttle:{self.scope}:{request.user.pk or self.get_ident(request)}"


class TokenThrottle(WriteThrottle):
    scope = "tokens"
    rate = "30/hour"


class TicketThrottle(WriteThrottle):
    scope = "tickets"
    rate = "120/minute"


class MemberThrottle(WriteThrottle):
    """Adding by e-mail tells whether an address has an account: not for trying out lists of them."""

    scope = "members"
    rate = "120/minute"


class DuplicateThrottle(WriteThrottle):
    """A copy may have thousands of rows."""

    scope = "duplicates"
    rate = "60/hour"


class SearchThrottle(SimpleRateThrottle):
    """Enough for searching at every key."""

    scope = "search"
    rate = "240/minute"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"throttle:{self.scope}:{request.user.pk}"
