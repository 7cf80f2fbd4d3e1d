"""REST's two credentials: the API token in a header, the browser's cookie with its CSRF token.

A wrong credential is refused, never taken for an anonymous caller. `request.auth` is the Identity.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.authentication import Identity, bearer_of, identity_of_token
from sessions.models import User
from sessions.rates import Rate, address_of, network_of

# For quiet logs more than for safety: tokens have 256 random bits.
WRONG_TOKENS = Rate("wrong-tokens", option="MAX_WRONG_TOKENS_PER_MINUTE")


class TokenAuthentication(BaseAuthentication):
    """An API token, in any of the headers that `bearer_of` reads. One of scope `read` may only read."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        raw = bearer_of(request.headers)
        if raw is None:
            return None
        try:
            identity = identity_of_token(raw)
        except LiveError as error:
            if error.code is ErrorCode.UNAUTHENTICATED:
                WRONG_TOKENS.spend(network_of(address_of(request._request)))
            raise
        assert identity.user is not None
        if not identity.can_write and request.method not in SAFE_METHODS:
            raise LiveError(ErrorCode.FORBIDDEN, "This API token may only read. Use one with the scope `write`.")
        return identity.user, identity

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Hanzo Live"'


class CookieAuthentication(BaseAuthentication):
    """The signed-in browser. Methods that change something need the CSRF token, as Django's own pages do."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) or not user.is_active:
            return None
        if CsrfCheck(_no_view).refuses(request._request):
            raise LiveError(
                ErrorCode.FORBIDDEN,
                "The CSRF token is missing or wrong. Send the `csrftoken` cookie's value as `X-CSRFToken`, or reload the page.",
            )
        return user, Identity(user)


class CsrfCheck(CsrfViewMiddleware):
    """Django's check, asked for its verdict instead of its page."""

    def refuses(self, request: HttpRequest) -> bool:
        self.process_request(request)
        return self.process_view(request, _no_view, (), {}) is not None

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)


def _no_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
