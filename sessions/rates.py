"""How often somebody may do what could be used to guess or to flood, wherever it is asked: page, REST or socket.

Counted in Redis, so for all processes together. For what only REST offers there is `api.throttling`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle

from hanzo_live.protocol.errors import ErrorCode, LiveError


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` times within each span of `seconds`."""

    name: str
    limit: int
    seconds: int

    def require(self, who: str) -> None:
        """Raises LiveError `rate_limited` where `who` has spent all."""
        if int(cache.get(self._key(who), 0)) >= self.limit:
            raise self._refusal()

    def spend(self, who: str) -> None:
        """Count once more. Raises LiveError `rate_limited` above the limit."""
        key = self._key(who)
        cache.add(key, 0, self.seconds)
        try:
            spent = cache.incr(key)
        except ValueError:  # it ended between the two
            return
        if spent > self.limit:
            raise self._refusal()

    def _key(self, who: str) -> str:
        return f"rate:{self.name}:{who}:{int(time.time() // self.seconds)}"

    def _refusal(self) -> LiveError:
        wait = math.ceil(self.seconds - time.time() % self.seconds)
        return LiveError(
            ErrorCode.RATE_LIMITED, f"That was too often. Try again in {_in_words(wait)}.", retry_after=wait
        )


def address_of(request: HttpRequest) -> str:
    """Where the request comes from, as rates count it; the proxy's word is taken where the operator trusts it."""
    return str(BaseThrottle().get_ident(request))  # type: ignore[arg-type]  # it reads META alone


def _in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
