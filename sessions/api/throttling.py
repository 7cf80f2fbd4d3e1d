"""How often REST may be asked, by what is asked for: each call takes from one allowance, in one step of Redis.

Each API token has allowances of its own, so that a program does not use up its owner's; a browser has its user's, and
who is nobody has those of the address. What else is limited wherever it is asked (invitations) is in `rates`' users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from sessions.authentication import Identity
from sessions.models import User
from sessions.rates import Rate, address_of, network_of

if TYPE_CHECKING:  # `views` reads the settings, and these name this module
    from rest_framework.views import APIView

READS = Rate("reads", option="MAX_READS_PER_MINUTE")
WRITES = Rate("writes", option="MAX_WRITES_PER_MINUTE")
STARTS = Rate("starts", option="MAX_STREAM_STARTS_PER_MINUTE")
SEARCHES = Rate("searches", option="MAX_SEARCHES_PER_MINUTE")

# What is as rare as it is costly or telling has a limit of its own.
NEW_TOKENS = Rate("new-tokens", limit=30, seconds=3600)
# Adding by e-mail tells whether an address has an account: not for trying out lists of them.
NEW_MEMBERS = Rate("new-members", limit=120)
# A copy may have thousands of rows.
COPIES = Rate("copies", limit=60, seconds=3600)
# So has a transcript.
TRANSCRIPTS = Rate("transcripts", limit=60)

SAFE = ("GET", "HEAD", "OPTIONS")


class Throttle(BaseThrottle):
    """Takes from the allowance that the view names for the method in `rates`, else of reads or of writes."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """True. Raises LiveError `rate_limited`."""
        method = request.method or "GET"
        named: dict[str, Rate] = getattr(view, "rates", {})
        rate = named.get(method) or (READS if method in SAFE else WRITES)
        rate.spend(caller_of(request))
        return True


def caller_of(request: Request) -> str:
    """Whose allowance a call takes from."""
    if isinstance(request.auth, Identity) and request.auth.token is not None:
        return f"token:{request.auth.token.pk}"
    if isinstance(request.user, User):
        return f"user:{request.user.pk}"
    return f"address:{network_of(address_of(request._request))}"
