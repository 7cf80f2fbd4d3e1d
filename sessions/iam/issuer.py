"""What an issuer publishes: its endpoints and its keys, kept for a while. All that is read from it is bounded.

Hanzo IAM answers addresses that it does not know with 200 and a page: what is no JSON is no answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import jwt
from django.core.cache import cache

from hanzo_live.protocol.errors import ErrorCode, LiveError

KEPT_SECONDS = 3600
# A key that nobody has heard of may be new; whoever makes up names of keys must not make us ask each time.
ASK_AGAIN_SECONDS = 60
AWAY_SECONDS = 5
TIMEOUT_SECONDS = 5.0
MAX_ANSWER_BYTES = 256 * 1024
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of an issuer. `basic` is how it wants to be told the client's secret: in a header, or in the form."""

    authorization: str | None
    token: str | None
    userinfo: str | None
    keys: str
    basic: bool


def endpoints(issuer: str) -> Endpoints:
    """Where the issuer is asked for what. Raises LiveError `busy` where it does not say so."""
    return Endpoints(**_kept(f"iam-endpoints:{issuer}", issuer, lambda: asdict(_published_endpoints(issuer))))


def key(issuer: str, kid: object) -> Any:
    """The issuer's public key of that name; its only one where `kid` is None.

    Raises LiveError `busy`, and ValueError where it has no such key.
    """
    for afresh in (False, True):
        fitting = [each for each in _keys(issuer, afresh=afresh) if kid is None or each.get("kid") == kid]
        if len(fitting) == 1 or (fitting and kid is not None):
            return jwt.PyJWK(fitting[0]).key
    raise ValueError("its key is not one of the issuer's")


def ask(address: str, **request: Any) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object that an address of the issuer answers with; a POST where there is `data`.

    Raises LiveError `busy` for anything else, and for a status of 500 or more.
    """
    method = "POST" if "data" in request else "GET"
    headers = {"Accept": "application/json", **request.pop("headers", {})}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_SECONDS) as client,
            client.stream(method, address, headers=headers, **request) as answer,
        ):
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if answer.status_code < 500 and kind.endswith("json"):
                found = json.loads(_bounded(answer))
                if isinstance(found, dict):
                    return answer.status_code, found
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise unreachable(address) from error
    raise unreachable(address)


def unreachable(where: str) -> LiveError:
    return LiveError(
        ErrorCode.BUSY, f"{urlsplit(where).hostname} cannot be asked now. Try again.", retry_after=AWAY_SECONDS
    )


def _keys(issuer: str, *, afresh: bool) -> list[dict[str, Any]]:
    """The issuer's keys for signing; `afresh`: asked for again, though not more often than now and then."""
    place = f"iam-keys:{issuer}"
    afresh = afresh and cache.add(f"{place}:asked", True, ASK_AGAIN_SECONDS)
    return _kept(place, issuer, lambda: _published_keys(endpoints(issuer)), afresh=afresh)


def _kept(place: str, issuer: str, find: Callable[[], T], *, afresh: bool = False) -> T:
    """What is kept under `place`, else what `find` finds. An issuer that is away is not asked again at once."""
    kept: T | None = cache.get(place)
    if kept is not None and not afresh:
        return kept
    away = f"iam-away:{issuer}"
    if cache.get(away):
        raise unreachable(issuer)
    try:
        found = find()
    except LiveError:
        # Not everybody who comes meanwhile is to wait for it.
        cache.set(away, True, AWAY_SECONDS)
        raise
    cache.set(place, found, KEPT_SECONDS)
    return found


def _published_endpoints(issuer: str) -> Endpoints:
    status, about = ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    keys = _safe(about, "jwks_uri")
    if status != 200 or about.get("issuer") != issuer or keys is None:
        raise unreachable(issuer)
    ways = about.get("token_endpoint_auth_methods_supported")
    return Endpoints(
        authorization=_safe(about, "authorization_endpoint"),
        token=_safe(about, "token_endpoint"),
        userinfo=_safe(about, "userinfo_endpoint"),
        keys=keys,
        basic=not isinstance(ways, list) or "client_secret_post" not in ways,
    )


def _published_keys(there: Endpoints) -> list[dict[str, Any]]:
    status, answer = ask(there.keys)
    listed = answer.get("keys")
    if status != 200 or not isinstance(listed, list):
        raise unreachable(there.keys)
    return [
        each
        for each in listed
        if isinstance(each, dict) and each.get("kty") in ("RSA", "EC") and each.get("use") in (None, "sig")
    ]


def _safe(about: Mapping[str, Any], name: str) -> str | None:
    """An address that can be relied on: over TLS, or on this machine."""
    address = about.get(name)
    if not isinstance(address, str):
        return None
    try:
        parts = urlsplit(address)
        name = parts.hostname or ""
    except ValueError:
        return None
    return address if name and (parts.scheme == "https" or (parts.scheme == "http" and name in LOOPBACK)) else None


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError("The answer is too long.")
    return bytes(body)
