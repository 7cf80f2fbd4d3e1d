"""Who a socket speaks for: asked of `sessions.authentication` in a thread, as the handshake or `hello` tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from django.conf import settings

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions import access, authentication
from sessions.authentication import Identity
from streaming.database import in_db


@dataclass(frozen=True, slots=True)
class Found:
    """`session_key` is the browser's, where the cookie was the credential."""

    identity: Identity
    session_key: str | None = None


async def of_handshake(headers: Mapping[str, str]) -> Found | None:
    """The identity in the handshake's headers; None where there is none. Raises LiveError for a wrong one."""
    raw = authentication.bearer_of(headers)
    if raw is not None:
        return Found(await in_db(authentication.identity_of_token, raw))
    session_key = _session_key(headers.get("cookie", ""))
    if session_key is None:
        return None
    identity = await in_db(authentication.identity_of_cookie, session_key)
    return Found(identity, session_key) if identity is not None else None


async def of_hello(token: str) -> Identity:
    """The identity behind `hello.token`. Raises LiveError `unauthenticated`."""
    return await in_db(authentication.identity_of_hello, token)


def require_anonymous() -> None:
    """Raises LiveError `unauthenticated` where nobody may stay anonymous."""
    access.require_anonymous_allowed()


def ended() -> LiveError:
    return LiveError(ErrorCode.UNAUTHENTICATED, "You were signed out, or the token was revoked. Sign in again.")


def _session_key(cookie: str) -> str | None:
    if not cookie:
        return None
    try:
        jar = SimpleCookie(cookie)
    except CookieError:
        return None
    morsel = jar.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel is not None and morsel.value else None
