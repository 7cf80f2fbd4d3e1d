"""A WebSocket client on a bare socket: it sees each byte, and reads as slowly as it likes."""

import json
import os
import socket
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Received(NamedTuple):
    opcode: int
    payload: bytes
    wire: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.payload)

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2], "big")


class RawClient:
    """Connected and upgraded when made; `buffer` bounds the kernel's receive buffer, `chunk` what one read takes."""

    def __init__(self, address: Any, *, path: str = "", buffer: int = 0, chunk: int = 65_536) -> None:
        self.path = path or f"/{uuid.uuid4()}"
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(30)
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.connect(address)
        self.chunk = chunk
        self.data = bytearray()
        self.sock.sendall(
            f"GET {self.path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, _, rest = bytes(self.data).partition(b"\r\n\r\n")
        self.head = head.decode().lower()
        self.data = bytearray(rest)

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *exc: object) -> None:
        self.sock.close()

    def send(self, opcode: int, payload: bytes, *, length: int | None = None) -> None:
        """One masked frame; with `length` the header promises more than is sent."""
        size = len(payload) if length is None else length
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += b"\xfe" + size.to_bytes(2, "big")
        else:
            head += b"\xff" + size.to_bytes(8, "big")
        mask = os.urandom(4)
        whole = int.from_bytes(payload, "big") ^ int.from_bytes((mask * (len(payload) // 4 + 1))[: len(payload)], "big")
        self.sock.sendall(head + mask + whole.to_bytes(len(payload), "big"))

    def ask(self, do: str, **fields: Any) -> None:
        self.send(TEXT, json.dumps({"do": do, **fields}).encode())

    def frame(self) -> Received:
        """The next frame. EOFError at the end of the connection."""
        while (parsed := self._parse()) is None:
            self._more()
        return parsed

    def arrived(self) -> list[Received]:
        """Read once; the frames that are whole now. EOFError at the end of the connection."""
        self._more()
        return list(iter(self._parse, None))

    def frames(self) -> Iterator[Received]:
        """Every frame until the connection ends."""
        try:
            while True:
                yield self.frame()
        except EOFError:
            return

    def _more(self) -> None:
        try:
            data = self.sock.recv(self.chunk)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError
        self.data += data

    def _parse(self) -> Received | None:
        data = self.data
        if len(data) < 2:
            return None
        length, start = data[1], 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:start], "big")
        end = start + length
        if len(data) < end:
            return None
        wire = bytes(data[:end])
        del data[:end]
        assert wire[0] & 0xF0 == 0x80, "final, and no reserved bit"
        return Received(wire[0] & 0x0F, wire[start:], wire)
