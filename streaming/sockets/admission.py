"""Whether a socket may come in: its Host and Origin, and how many there are already. No database, no waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from hanzo_live.protocol import CloseCode
from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.origins import is_allowed_origin


class Refused(Exception):
    """The socket is told `error` and closed with `code`."""

    def __init__(self, code: CloseCode, error: LiveError) -> None:
        super().__init__(error.message)
        self.code = code
        self.error = error


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers by lower-case name; of one sent twice the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def address_of(scope: Mapping[str, Any]) -> str:
    """The caller's address; a trusted proxy's word for it, which the server has put there."""
    client = scope.get("client")
    return str(client[0]) if client else "local"


def origin_of(scope: Mapping[str, Any]) -> str:
    """`scheme://host` of this server as the socket's client addresses it, for links."""
    headers = headers_of(scope)
    secure = scope.get("scheme") in ("wss", "https")
    return f"{'https' if secure else 'http'}://{headers.get('host', '')}"


def check_origin(headers: Mapping[str, str]) -> None:
    """Raises Refused unless Host is ours and Origin, where one is sent, is ours or allowed.

    Checked whatever the credential: a browser sends cookies, and reaches loopback, for any web site.
    """
    host = headers.get("host", "")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise Refused(
            CloseCode.FORBIDDEN,
            LiveError(
                ErrorCode.FORBIDDEN,
                "This server does not answer to that host name. Its operator can allow it with ALLOWED_HOSTS.",
            ),
        )
    origin = headers.get("origin")
    if origin is not None and not is_allowed_origin(origin, host):
        raise Refused(
            CloseCode.FORBIDDEN,
            LiveError(
                ErrorCode.FORBIDDEN,
                "Pages of that origin may not open sockets here. The operator can allow it with ALLOWED_ORIGINS.",
            ),
        )


class Bucket:
    """Lets through `rate` a second on average and `burst` at once."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = time.monotonic()

    def take(self) -> float:
        """0 where it goes through, else the seconds to wait."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._rate

    @property
    def is_full(self) -> bool:
        return self._left + (time.monotonic() - self._at) * self._rate >= self._burst


class Admission:
    """Counts the sockets of this process: in all, per user or address, and handshakes per address."""

    def __init__(self) -> None:
        self.open = 0
        self._holders: Counter[str] = Counter()
        self._handshakes: dict[str, Bucket] = {}

    def enter(self, address: str) -> None:
        """One more socket. Raises Refused where there is no room; then it is not counted."""
        wait = self._handshake(address)
        if wait:
            error = LiveError(
                ErrorCode.RATE_LIMITED,
                "Too many connections in a short time. Wait a moment, then connect again.",
                retry_after=round(wait, 1),
            )
            raise Refused(CloseCode.RATE_LIMITED, error)
        if self.open >= settings.MAX_CONNECTIONS:
            error = LiveError(
                ErrorCode.BUSY,
                "This server has as many connections as it takes. Try again in a few seconds.",
                retry_after=5,
            )
            raise Refused(CloseCode.SERVER_FULL, error)
        self.open += 1

    def leave(self) -> None:
        self.open -= 1

    def hold(self, holder: str) -> None:
        """Count a socket for a user or address. Raises Refused above the limit."""
        if self._holders[holder] >= settings.MAX_SOCKETS_PER_USER:
            error = LiveError(
                ErrorCode.RATE_LIMITED,
                f"You have {settings.MAX_SOCKETS_PER_USER} connections open, the most this server allows. Close some first.",
                retry_after=5,
            )
            raise Refused(CloseCode.RATE_LIMITED, error)
        self._holders[holder] += 1

    def release(self, holder: str) -> None:
        self._holders[holder] -= 1
        if self._holders[holder] <= 0:
            del self._holders[holder]

    def _handshake(self, address: str) -> float:
        bucket = self._handshakes.get(address)
        if bucket is None:
            if len(self._handshakes) > 10_000:
                self._handshakes = {known: each for known, each in self._handshakes.items() if not each.is_full}
            rate = settings.MAX_HANDSHAKES_PER_SECOND
            bucket = self._handshakes[address] = Bucket(rate, 2 * rate)
        return bucket.take()
