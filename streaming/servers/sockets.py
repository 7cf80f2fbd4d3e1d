"""What both servers do with operating system sockets: listen, bound the kernel's send buffer, see whether a peer reads."""

import socket
import sys
from collections.abc import Callable
from typing import Any, Final

SEND_BUFFER: Final = 64 * 1024
"""SO_SNDBUF of WebSockets: with the megabytes Linux would grow to, a slow viewer looks quick until it is minutes late."""

BACKLOG: Final = 2048

Ready = Callable[[str, int], None]
"""Told once the server listens: host and port as bound, or a Unix socket's path and 0."""

_TCP_INFO_BYTES_ACKED: Final = slice(120, 128)


def listen(host: str, port: int, *, fd: int | None = None) -> socket.socket:
    """A listening, non-blocking socket: the inherited `fd` (TCP or Unix), else a new one on `host` and `port`.

    Raises OSError: the port is in use, the address is not this machine's, `fd` is no socket.
    """
    if fd is not None:
        inherited = socket.socket(fileno=fd)
        inherited.setblocking(False)
        inherited.listen(BACKLOG)
        return inherited
    candidates = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # "localhost" and "" give both families; one address is one socket, and IPv4 is what the URLs we print say.
    family, kind, protocol, _, address = min(candidates, key=lambda found: found[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def tell_ready(listener: socket.socket, ready: Ready | None) -> None:
    """Call `ready` with the address that `listener` is bound to."""
    if ready is None:
        return
    address = listener.getsockname()
    if isinstance(address, tuple):
        ready(str(address[0]), int(address[1]))
    else:
        ready(str(address), 0)


def bound_send_buffer(sock: Any) -> None:
    """Set SO_SNDBUF of a connected socket; where the system refuses, slowness shows later, nothing else."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    except OSError:
        return


def bytes_acked(sock: Any) -> int | None:
    """How many bytes the peer's system has acknowledged so far. None where this cannot be asked (not Linux, not TCP)."""
    if sys.platform != "linux":
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES_ACKED.stop)
    except OSError:
        return None
    counter = info[_TCP_INFO_BYTES_ACKED]
    return int.from_bytes(counter, sys.byteorder) if len(counter) == 8 else None
