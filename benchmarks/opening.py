"""Opens a generator's sockets, a few at a time: the handshake, then the steps until the target says that one watches."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.frames import CLOSE, PING, PONG, Frame, FrameReader, check_answer, handshake, masked
from benchmarks.task import ViewerShape

PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket that has joined and blocks no longer. `reader` may hold the beginning of its next frame."""

    number: int
    connection: socket.socket
    reader: FrameReader
    early: list[Frame]  # whole frames that came behind the last step's answer


def open_sockets(shape: ViewerShape, numbers: Sequence[int]) -> list[Opened]:
    """Joins with these viewers, all of them at once. Raises OSError, in words, where the target refuses one."""
    connecting = [(number, *_connect(shape, number)) for number in numbers]
    opened: list[Opened] = []
    for number, connection, accept in connecting:
        head, rest = _read_head(connection)
        check_answer(head, accept)
        reader = FrameReader()
        opened.append(Opened(number, connection, reader, reader.feed(rest)))
    for step in shape.steps:
        for each in opened:
            if step.send:
                each.connection.sendall(masked(step.send.encode()))
        for each in opened:
            _await_step(each, step.expect.encode())
    for each in opened:
        each.connection.setblocking(False)
    return opened


def _connect(shape: ViewerShape, number: int) -> tuple[socket.socket, bytes]:
    """A socket that has asked for its upgrade, and what the answer must carry."""
    connection = socket.socket()
    connection.settimeout(PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.bind((f"127.0.0.{1 + number % shape.sources}", 0))
    connection.connect(("127.0.0.1", shape.port))
    headers = shape.identities[number % len(shape.identities)] if shape.identities else {}
    hello = handshake(f"127.0.0.1:{shape.port}", shape.path, headers, shape.subprotocol)
    connection.sendall(hello.request)
    return connection, hello.accept


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionError("the server closed the socket in the handshake")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n", rest


def _await_step(opened: Opened, expect: bytes) -> None:
    """Reads until a frame holds `expect`; frames before it are the greeting's and are dropped."""
    while expect:
        while opened.early:
            frame = opened.early.pop(0)
            if frame.opcode == PING:
                opened.connection.sendall(masked(frame.payload, PONG))
            elif expect in frame.payload:
                return
            elif frame.opcode == CLOSE or b'"type":"error"' in frame.payload:
                raise ConnectionError(f"the server answered {frame.payload[:300]!r}")
        chunk = opened.connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the socket before the viewer was ready")
        opened.early.extend(opened.reader.feed(chunk))
