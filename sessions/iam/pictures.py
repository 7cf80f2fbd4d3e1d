"""The picture that somebody has at the issuer, fetched without being a way into the operator's network.

Its address is a claim, which people may choose themselves: only public addresses are asked, and the issuer's own.
"""

from __future__ import annotations

import logging
import ssl
from urllib.parse import urlsplit
from uuid import UUID

import httpcore
from kombu.exceptions import OperationalError

from sessions.avatars import MAX_BYTES
from sessions.public import PublicBackend

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0


class NoPicture(Exception):
    """There is none to be had there."""


def queue(user_id: UUID, address: str) -> None:
    """Have it fetched by and by: nobody waits for a picture, and without a broker they have none."""
    from sessions.tasks import take_picture

    try:
        take_picture.apply_async(args=[str(user_id), address], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached; the picture of user %s is not fetched: %s", user_id, error)


def fetch(address: str, issuer: str) -> bytes:
    """The bytes at `address`. Raises NoPicture for what is not there, too large, or may not be asked."""
    own = urlsplit(address)[:2] == urlsplit(issuer)[:2]
    if not own and urlsplit(address).scheme != "https":
        raise NoPicture("It is not at an address with https.")
    body = bytearray()
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_SECONDS)
    backend = httpcore.SyncBackend() if own else PublicBackend()
    try:
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
            pool.stream("GET", address, extensions={"timeout": timeout}) as answer,
        ):
            if answer.status != 200:  # nor is a redirection followed
                raise NoPicture(f"It is answered with {answer.status}.")
            for part in answer.iter_stream():
                body += part
                if len(body) > MAX_BYTES:
                    raise NoPicture("It is too large.")
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise NoPicture(str(error) or type(error).__name__) from error
    except (OSError, ValueError, TypeError) as error:
        raise NoPicture(str(error)) from error
    return bytes(body)
