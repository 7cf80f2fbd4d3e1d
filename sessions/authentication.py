"""Who somebody is: by API token, by the browser's session cookie, or by a one-time ticket.

Not for what they may do (`access`), nor for how a transport carries the credential, except for the headers' names.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.endings import end_credential
from sessions.iam import bearers
from sessions.models import ApiToken, TokenScope, User
from sessions.text import MAX_NAME, clean_line

TOKEN_PREFIX = "hl_"
TICKET_PREFIX = "hlt_"
TICKET_SECONDS = 60
LAST_USED_EVERY = timedelta(minutes=1)
MAX_TOKENS = 100

KEY_HEADERS = ("x-api-key", "x-hanzo-key", "ocp-apim-subscription-key")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request or socket speaks for. `can_write` is false for a token whose scope is `read`."""

    user: User | None
    token: ApiToken | None = None
    anonymous: bool = False
    can_write: bool = True
    # Of a credential that ends by itself (a JWT).
    expires_at: datetime | None = None


ANONYMOUS = Identity(user=None, anonymous=True)


def bearer_of(headers: Mapping[str, str]) -> str | None:
    """The API token that the headers carry; None where they carry none.

    A bearer header without a token gives the empty text, which is a wrong credential, not an absent one. Other schemes
    (a proxy's `Basic`) are not ours and are not looked at.
    """
    by_name = {name.lower(): value.strip() for name, value in headers.items()}
    scheme, _, credential = by_name.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credential.strip()
    return next((by_name[name] for name in KEY_HEADERS if by_name.get(name)), None)


def identity_of_token(raw: str) -> Identity:
    """The identity behind an API token or a JWT. Raises LiveError `unauthenticated` for any other text."""
    if bearers.is_jwt(raw):
        bearer = bearers.bearer_of_jwt(raw)
        return Identity(bearer.user, expires_at=bearer.expires_at)
    token = ApiToken.objects.select_related("user").filter(digest=digest_of(raw)).first()
    return _identity_of_row(token)


def identity_of_hello(raw: str) -> Identity:
    """The identity behind `hello.token`, which may be an API token or a ticket. Raises LiveError `unauthenticated`."""
    return redeem_ticket(raw) if raw.startswith(TICKET_PREFIX) else identity_of_token(raw)


def identity_of_cookie(session_key: str | None) -> Identity | None:
    """The identity behind the browser's session cookie; None where nobody is signed in with it (any more)."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)  # checks is_active and the hash that a change of password changes
    return Identity(user) if isinstance(user, User) else None


def issue_ticket(user: User, token: ApiToken | None = None, expires_at: datetime | None = None) -> tuple[str, int]:
    """A ticket that signs one socket in as `user`, and the seconds it is good for.

    Made for pages that cannot send a header with a WebSocket. With `token`, the socket has that token's scope and ends
    with it; with `expires_at`, it ends then.
    """
    ticket = TICKET_PREFIX + secrets.token_urlsafe(32)
    cache.set(_ticket_key(ticket), (str(user.pk), str(token.pk) if token else None, expires_at), TICKET_SECONDS)
    return ticket, TICKET_SECONDS


def redeem_ticket(raw: str) -> Identity:
    """The identity behind a ticket, once. Raises LiveError `unauthenticated` for a used, old or made-up one."""
    key = _ticket_key(raw)
    kept = cache.get(key)
    # Of two that read it at the same time, only one deletes it.
    if kept is None or not cache.delete(key):
        raise LiveError(
            ErrorCode.UNAUTHENTICATED, "This ticket was used or is too old. Ask for a new one with POST /v1/tickets."
        )
    user_id, token_id, expires_at = kept
    if token_id is not None:
        return _identity_of_row(ApiToken.objects.select_related("user").filter(pk=token_id).first())
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise _wrong_credential()
    return Identity(user, expires_at=expires_at)


def create_token(user: User, name: str, scope: TokenScope = TokenScope.WRITE) -> tuple[ApiToken, str]:
    """A new API token's row and its text, which is shown once and kept nowhere.

    Raises LiveError `bad_request` for an unusable name, `conflict` above MAX_TOKENS.
    """
    name = clean_line(name, "name", MAX_NAME, required=True)
    if user.api_tokens.filter(revoked_at=None).count() >= MAX_TOKENS:
        raise LiveError(ErrorCode.CONFLICT, f"You have {MAX_TOKENS} API tokens. Revoke one that is no longer used.")
    raw = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return ApiToken.objects.create(user=user, name=name, scope=scope, digest=digest_of(raw)), raw


@transaction.atomic
def revoke_token(user: User, token_id: UUID) -> None:
    """End one of the user's tokens, and the sockets that stand on it. Raises LiveError `not_found`."""
    if not user.api_tokens.filter(pk=token_id, revoked_at=None).update(revoked_at=timezone.now()):
        raise token_not_found()
    end_credential(user.pk, token_id=token_id)


def token_not_found() -> LiveError:
    return LiveError(ErrorCode.NOT_FOUND, "You have no such API token. See the list with GET /v1/tokens.")


def digest_of(raw: str) -> str:
    """What is kept of a token. No salt: it has 256 random bits."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _identity_of_row(token: ApiToken | None) -> Identity:
    if token is None or token.revoked_at is not None or not token.user.is_active:
        raise _wrong_credential()
    _note_use(token)
    return Identity(token.user, token, can_write=token.scope == TokenScope.WRITE)


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _wrong_credential() -> LiveError:
    return LiveError(
        ErrorCode.UNAUTHENTICATED,
        "This API token is not valid. It may have been revoked; make a new one and send that.",
    )


def _ticket_key(raw: str) -> str:
    return f"ticket:{digest_of(raw)}"
