"""How often somebody may do what could be used to guess or to flood, wherever it is asked: page, REST or socket.

An allowance fills up evenly, as a socket's `Bucket` does; it is kept in Redis, so for all processes together, and taken
from in one step. Where Redis cannot be reached nothing is refused: what is there to protect would stop with it.
"""

from __future__ import annotations

import ipaddress
import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from redis.exceptions import RedisError

from hanzo_live.protocol.errors import ErrorCode, LiveError

logger = logging.getLogger(__name__)

PREFIX = "live:rate"
CONNECTIONS = 20
# A check must cost next to nothing, also where Redis hangs.
TIMEOUT_S = 0.5

_TAKE = (Path(__file__).parent / "lua" / "take.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `limit` times at once, and as many again within `seconds`; with `option` the operator sets the limit,
    and 0 is none."""

    name: str
    limit: int = 0
    seconds: int = 60
    option: str = ""

    @property
    def most(self) -> int:
        return int(getattr(settings, self.option)) if self.option else self.limit

    def require(self, who: str) -> None:
        """Raises LiveError `rate_limited` where `who` has nothing left."""
        self._take(who, 1, look=True)

    def spend(self, who: str, count: int = 1) -> None:
        """Count so many times more. Raises LiveError `rate_limited`, and counts none, where there is not enough left."""
        self._take(who, count, look=False)

    def _take(self, who: str, count: int, *, look: bool) -> None:
        most = self.most
        if most == 0:
            return
        every = self.seconds * 1_000_000 / most
        args = [every, most, min(count, most), 0 if look else 1]
        try:
            wait = int(_script()(keys=[f"{PREFIX}:{self.name}:{who}"], args=args))
        except (RedisError, OSError) as error:
            logger.warning("Redis cannot be reached, so nobody is held to the rate of %s: %s", self.name, error)
            return
        if wait:
            raise _refusal(wait / 1_000_000)


def address_of(request: HttpRequest) -> str:
    """Where the request comes from; a trusted proxy's word for it, which the server has put there."""
    return str(request.META.get("REMOTE_ADDR") or "local")


def network_of(address: str) -> str:
    """Whom an address is counted as: of IPv6 the network, for one caller has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _refusal(seconds: float) -> LiveError:
    wait = max(1, math.ceil(seconds))
    return LiveError(ErrorCode.RATE_LIMITED, f"That was too often. Try again in {_in_words(wait)}.", retry_after=wait)


def _in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"


def _script() -> Any:
    return _script_of(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _script_of(url: str) -> Any:
    """The script, with connections of this process's own. Nothing connects before it is called."""
    pool = redis.BlockingConnectionPool.from_url(
        url, max_connections=CONNECTIONS, timeout=TIMEOUT_S, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    return redis.Redis(connection_pool=pool).register_script(_TAKE)
