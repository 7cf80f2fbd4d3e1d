"""What a JWT of an allowed issuer says of a person, once everything about it is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import jwt
from django.conf import settings

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.iam import issuer
from sessions.text import MAX_NAME, is_address, is_storable, one_line

ALGORITHMS = ["RS256", "ES256"]
REQUIRED = ["iss", "sub", "aud", "exp", "owner"]
MAX_LENGTH = 16_384
LEEWAY_SECONDS = 30
# The end of the year 2099: whoever sets no end writes the largest number.
FOR_EVER = 4_102_444_799


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the issuer. `id` is theirs alone, of all issuers; `email` is None unless it can be used.

    `email_verified` and `is_admin` are true only where the issuer says so in so many words.
    """

    id: str
    owner: str
    name: str
    email: str | None
    email_verified: bool
    picture: str | None
    is_admin: bool
    expires_at: datetime


class NotAccepted(LiveError):
    """A JWT that is not accepted, and why: the rest of a sentence about it."""

    def __init__(self, why: str) -> None:
        super().__init__(ErrorCode.UNAUTHENTICATED, f"This JWT is not accepted: {why}. Sign in again for a new one.")
        self.why = why


def claims_of(raw: str, audience: Sequence[str], *, nonce: str | None = None) -> dict[str, Any]:
    """The claims of a JWT that is meant for one of `audience`. Raises NotAccepted, or LiveError `busy`."""
    if len(raw) > MAX_LENGTH:
        raise NotAccepted("it is too long")
    try:
        head = jwt.get_unverified_header(raw)
        named = jwt.decode(raw, options={"verify_signature": False}).get("iss")
        if head.get("alg") not in ALGORITHMS:
            raise NotAccepted("it is not signed by RS256 or ES256")
        if not isinstance(named, str) or named not in settings.IAM_ISSUERS:
            raise NotAccepted("its issuer is not allowed here")
        claims: dict[str, Any] = jwt.decode(
            raw,
            issuer.key(named, head.get("kid")),
            algorithms=ALGORITHMS,
            audience=audience,
            issuer=named,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
    except jwt.MissingRequiredClaimError as error:
        raise NotAccepted(_missing(error.claim)) from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise NotAccepted(str(error) or "it cannot be read") from error
    for name in ("sub", "owner"):
        if not isinstance(claims[name], str) or not claims[name] or not is_storable(claims[name]):
            raise NotAccepted(_missing(name))
    if settings.IAM_OWNERS and claims["owner"] not in settings.IAM_OWNERS:
        raise NotAccepted("people of its `owner` may not come in here")
    if nonce is not None and claims.get("nonce") != nonce:
        raise NotAccepted("it was made for another sign-in")
    return claims


def person_of(claims: Mapping[str, Any]) -> Person:
    """Whom checked claims are about. Both the names of OpenID Connect and those of Hanzo IAM are read."""
    email = claims.get("email")
    return Person(
        id=id_of_subject(claims["iss"], claims["sub"]),
        owner=claims["owner"],
        name=_name(claims),
        email=email.lower() if is_address(email) else None,
        email_verified=claims.get("email_verified") is True or claims.get("emailVerified") is True,
        picture=next(filter(_is_picture, (claims.get("picture"), claims.get("avatar"))), None),
        is_admin=claims.get("isAdmin") is True,
        expires_at=datetime.fromtimestamp(min(int(claims["exp"]), FOR_EVER), UTC),
    )


def kept_of(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that tell `person_of` the same, and can be stored."""
    person = person_of(claims)
    kept = {"name": person.name, "email": person.email, "email_verified": person.email_verified}
    return {
        **{name: claims[name] for name in ("iss", "sub", "owner")},
        **kept,
        "picture": person.picture,
        "isAdmin": person.is_admin,
        "exp": int(person.expires_at.timestamp()),
    }


def id_of_subject(named: str, subject: str) -> str:
    """What stands for a subject of an issuer: the same each time, and for nobody else."""
    return str(uuid5(NAMESPACE_URL, f"{named}#{subject}"))


def _missing(claim: str) -> str:
    return "it names no tenant (claim `owner`)" if claim == "owner" else f"its claim `{claim}` is missing"


def _is_picture(address: object) -> bool:
    return isinstance(address, str) and len(address) <= 2_000 and address.isprintable() and address.startswith("http")


def _name(claims: Mapping[str, Any]) -> str:
    """The first of the claims that can be shown as a name."""
    for name in ("name", "preferred_username", "sub"):
        given = claims.get(name)
        if isinstance(given, str) and is_storable(given) and (line := one_line(given[: 4 * MAX_NAME])):
            return line[:MAX_NAME]
    return "Somebody"
