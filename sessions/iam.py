"""Who somebody is by a JWT of Hanzo IAM, or of any issuer of OpenID Connect that the operator allows.

Not for signing in with a browser, and not for what people may do here: an `isAdmin` elsewhere is none here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import jwt
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import User
from sessions.text import MAX_NAME, is_storable

ALGORITHMS = ["RS256", "ES256"]
CLAIMS = ["iss", "sub", "aud", "exp", "owner"]
MAX_LENGTH = 16_384
LEEWAY_SECONDS = 30

KEYS_KEPT_SECONDS = 3600
# A key that nobody has heard of may be new; whoever makes up names of keys must not make us ask each time.
ASK_AGAIN_SECONDS = 60
AWAY_SECONDS = 5
TIMEOUT_SECONDS = 5.0
MAX_ANSWER_BYTES = 256 * 1024
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user behind a JWT, and until when it says so."""

    user: User
    expires_at: datetime


def is_jwt(raw: str) -> bool:
    """Whether `raw` is to be read as a JWT: it has its three parts, and there is an issuer whose word counts."""
    return bool(settings.IAM_ISSUERS) and raw.count(".") == 2


def bearer_of_jwt(raw: str) -> Bearer:
    """The user behind a JWT; made at first sight. Raises LiveError `unauthenticated`, `conflict`, or `busy`."""
    claims = _claims_of(raw)
    user = _user_of(claims)
    if not user.is_active:
        raise _refusal("this account is switched off")
    return Bearer(user, datetime.fromtimestamp(claims["exp"], UTC))


def id_of_subject(issuer: str, subject: str) -> UUID:
    """The id of the account here of somebody there: the same each time, and of nobody else."""
    return uuid5(NAMESPACE_URL, f"{issuer}#{subject}")


def _claims_of(raw: str) -> dict[str, Any]:
    """What a JWT says, once everything about it is right."""
    if len(raw) > MAX_LENGTH:
        raise _refusal("it is too long")
    try:
        head = jwt.get_unverified_header(raw)
        issuer = jwt.decode(raw, options={"verify_signature": False}).get("iss")
        if head.get("alg") not in ALGORITHMS:
            raise _refusal("it is not signed by RS256 or ES256")
        if not isinstance(issuer, str) or issuer not in settings.IAM_ISSUERS:
            raise _refusal("its issuer is not allowed here")
        claims: dict[str, Any] = jwt.decode(
            raw,
            _key(issuer, head.get("kid")),
            algorithms=ALGORITHMS,
            audience=settings.IAM_AUDIENCES,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": CLAIMS},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise _refusal(str(error) or "it cannot be read") from error
    for name in ("sub", "owner"):
        if not isinstance(claims[name], str) or not claims[name] or not is_storable(claims[name]):
            raise _refusal(f"its claim `{name}` is empty")
    return claims


# Keys -------------------------------------------------------------------------------------------------------------


def _key(issuer: str, kid: object) -> Any:
    """The issuer's public key of that name; its only one where the JWT names none."""
    for afresh in (False, True):
        fitting = [key for key in _keys(issuer, afresh=afresh) if kid is None or key.get("kid") == kid]
        if len(fitting) == 1 or (fitting and kid is not None):
            return jwt.PyJWK(fitting[0]).key
    raise _refusal("its key is not one of the issuer's")


def _keys(issuer: str, *, afresh: bool = False) -> list[dict[str, Any]]:
    """The issuer's keys for signing, as kept; `afresh`: asked for again, though not more often than now and then."""
    place = f"iam-keys:{issuer}"
    kept: list[dict[str, Any]] | None = cache.get(place)
    if kept is not None and not (afresh and cache.add(f"{place}:asked", True, ASK_AGAIN_SECONDS)):
        return kept
    if cache.get(f"{place}:away"):
        raise _unreachable(issuer)
    try:
        keys = _published_keys(issuer)
    except LiveError:
        # Not everybody who comes meanwhile is to wait for it.
        cache.set(f"{place}:away", True, AWAY_SECONDS)
        raise
    cache.set(place, keys, KEYS_KEPT_SECONDS)
    return keys


def _published_keys(issuer: str) -> list[dict[str, Any]]:
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        about = _object(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if about.get("issuer") != issuer or not _is_safe(about.get("jwks_uri")):
            raise _unreachable(issuer)
        listed = _object(client, about["jwks_uri"]).get("keys")
    if not isinstance(listed, list):
        raise _unreachable(issuer)
    return [
        key
        for key in listed
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use") in (None, "sig")
    ]


def _object(client: httpx.Client, address: str) -> dict[str, Any]:
    """The JSON object at an address. IAM answers addresses that it does not know with 200 and a page."""
    try:
        answer = client.get(address, headers={"Accept": "application/json"})
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status_code == 200 and kind.endswith("json") and len(answer.content) <= MAX_ANSWER_BYTES:
            found = answer.json()
            if isinstance(found, dict):
                return found
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _unreachable(address) from error
    raise _unreachable(address)


def _is_safe(address: object) -> bool:
    """Whether keys from there can be relied on: over TLS, or from this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


# Users ------------------------------------------------------------------------------------------------------------


def _user_of(claims: dict[str, Any]) -> User:
    """The account of the claims' subject."""
    pk = id_of_subject(claims["iss"], claims["sub"])
    user = User.objects.filter(pk=pk).first()
    if user is not None:
        return user
    email = _email_of(claims) or f"{pk}@iam.invalid"
    name = claims.get("name")
    if not isinstance(name, str) or not name.strip() or not is_storable(name):
        name = claims["sub"]
    try:
        with transaction.atomic():
            return User.objects.create_user(email, name=name.strip()[:MAX_NAME], id=pk)
    except IntegrityError as error:
        user = User.objects.filter(pk=pk).first()  # made at the same moment by another request
        if user is not None:
            return user
        # The account here may be somebody else's: the address alone proves nothing.
        raise LiveError(
            ErrorCode.CONFLICT, f"There is an account with the address {email} here already. Sign in with that one."
        ) from error


def _email_of(claims: dict[str, Any]) -> str | None:
    email = claims.get("email")
    try:
        validate_email(email)
    except ValidationError:
        return None
    return str(email) if len(str(email)) <= 254 else None


def _refusal(why: str) -> LiveError:
    return LiveError(ErrorCode.UNAUTHENTICATED, f"This JWT is not accepted: {why}. Sign in again for a new one.")


def _unreachable(where: str) -> LiveError:
    return LiveError(
        ErrorCode.BUSY,
        f"The keys of {urlsplit(where).hostname} cannot be had now. Try again.",
        retry_after=AWAY_SECONDS,
    )
