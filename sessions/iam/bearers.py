"""JWTs as bearers on the API and on sockets: who somebody is by one, without a browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from sessions.iam.accounts import account_of
from sessions.iam.claims import NotAccepted, claims_of, person_of
from sessions.models import User


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user behind a JWT, and until when it says so."""

    user: User
    expires_at: datetime


def is_jwt(raw: str) -> bool:
    """Whether `raw` is to be read as a JWT: it has its three parts, and there is an issuer whose word counts."""
    return bool(settings.IAM_ISSUERS) and raw.count(".") == 2


def bearer_of_jwt(raw: str) -> Bearer:
    """The user behind a JWT; made at first sight where IAM_SIGNUP is open.

    Raises LiveError `unauthenticated`, `forbidden` where there is no account and none is made, `conflict`, or `busy`.
    """
    person = person_of(claims_of(raw, settings.IAM_AUDIENCES))
    user = account_of(person)
    if not user.is_active:
        raise NotAccepted("this account is switched off")
    return Bearer(user, person.expires_at)
