"""Asking addresses that somebody else chose, without being a way into the operator's network."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterable
from typing import Any

import httpcore

# Addresses of IPv6 that stand for one of IPv4, which a gateway reaches: well-known NAT64, and its local form.
TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
# The site's own, though `is_global` says otherwise.
SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")
COMPATIBLE = ipaddress.IPv6Network("::/96")


def is_public(address: str) -> bool:
    """Whether everybody can reach that address, and nobody on the way makes a private one of it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        stands_for_another = ip.sixtofour is not None or ip.teredo is not None
        if stands_for_another or any(ip in network for network in (*TRANSLATED, SITE_LOCAL, COMPATIBLE)):
            return False
    return ip.is_global and not ip.is_multicast


class PublicBackend(httpcore.SyncBackend):
    """Connects to addresses that everybody can reach, as they are when it connects."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not all(map(is_public, found)):
            raise httpcore.ConnectError(f"{host} is not a public address.")
        # By its address, so that nobody can give another answer meanwhile.
        return super().connect_tcp(min(found), port, timeout, local_address, socket_options)


class UntilBackend(httpcore.NetworkBackend):
    """Another backend, up to one moment: whoever answers drop by drop is not waited for. `seconds` from now on."""

    def __init__(self, backend: httpcore.NetworkBackend, seconds: float) -> None:
        self._backend = backend
        self._end = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._end, httpcore.ConnectTimeout)
        return _UntilStream(self._backend.connect_tcp(host, port, left, local_address, socket_options), self._end)


class _UntilStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._end, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._end, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._end, httpcore.ConnectTimeout)
        return _UntilStream(self._stream.start_tls(ssl_context, server_hostname, left), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(end: float, late: type[httpcore.TimeoutException]) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise late("It took too long.")
    return left
