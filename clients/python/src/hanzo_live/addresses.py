"""Addresses: callers give the server's bare URL, the paths are added here."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from hanzo_live.errors import HanzoLiveError

DEFAULT_URL = "ws://localhost:3001"
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        words = f"`{url}` is not the address of a server. Give one like {DEFAULT_URL} or https://live.example.com."
        raise HanzoLiveError("BAD_REQUEST", words, field="url")
    return parts


def base_url(url: str) -> str:
    """`http(s)://host[:port][/prefix]` for REST and event streams. Raises HanzoLiveError for what is no address."""
    parts = _split(url)
    path = parts.path.rstrip("/").removesuffix("/v1/live").rstrip("/")
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{path}"


def socket_url(url: str) -> str:
    """`ws(s)://host[:port][/prefix]/v1/live`. Raises as `base_url`."""
    return f"ws{base_url(url).removeprefix('http')}/v1/live"


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own, to which no proxy leads."""
    host = _split(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
