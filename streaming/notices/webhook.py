"""One webhook: an event, signed as standardwebhooks.com has it, posted to one address.

No redirection is followed, no address inside the operator's network is asked unless they allow it, and neither the time
nor what is read of the answer is without bound.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
import time

import httpcore
import orjson

from sessions.public import PublicBackend, UntilBackend
from streaming.notices.events import StreamEvent

TIMEOUT_S = 10.0
SECRET_PREFIX = "whsec_"
GONE = 410


class Refused(Exception):
    """It did not arrive. `final`: and never will."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final


def send(url: str, secret: str, event: StreamEvent, *, allow_private: bool) -> None:
    """Post it once. Raises Refused unless it was answered with 2xx."""
    body = orjson.dumps({"type": event.type, "timestamp": event.at, "data": event.wire()})
    moment = int(time.time())
    headers: dict[bytes | str, bytes | str] = {
        "Content-Type": "application/json",
        "User-Agent": "hanzo-live",
        "Connection": "close",
        "webhook-id": event.id,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(secret, event.id, moment, body),
    }
    backend = UntilBackend(httpcore.SyncBackend() if allow_private else PublicBackend(), TIMEOUT_S)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
            pool.stream("POST", url, headers=headers, content=body) as answer,
        ):
            status = answer.status  # of the body nothing is read
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise Refused(str(error) or type(error).__name__) from error
    except (OSError, ValueError, TypeError) as error:
        raise Refused(type(error).__name__) from error
    if not 200 <= status < 300:
        raise Refused(f"It was answered with {status}.", final=status == GONE)


def signature(secret: str, id: str, moment: int, body: bytes) -> str:
    """`v1,` and the HMAC of id, time and body: none of them can be changed, and an old one not sent again."""
    signed = hmac.new(key_of(secret), b".".join((id.encode(), str(moment).encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def key_of(secret: str) -> bytes:
    """`whsec_` and base64, as the standard writes secrets; any other text is its own bytes."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
