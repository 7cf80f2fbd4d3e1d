"""WebSocket frames as raw bytes (RFC 6455): just enough to be a light client. It does no I/O and knows no payload."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its opcode (0 continues the frame before it) and its payload."""

    opcode: int
    payload: bytes
    final: bool = True


class FrameReader:
    """Cuts a server's byte stream into frames, however the network cut it."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def rest(self) -> bytearray:
        """The beginning of a frame that is not whole yet."""
        return self._data

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[Frame]:
        """The frames that `chunk` completes."""
        data = self._data
        data += chunk
        frames: list[Frame] = []
        at = 0
        while (span := frame_span(data, at)) is not None:
            start, end = span
            if end > len(data):
                break
            frames.append(Frame(data[at] & 0x0F, bytes(data[start:end]), bool(data[at] & 0x80)))
            at = end
        del data[:at]
        return frames


def frame_span(data: bytes | bytearray | memoryview, at: int) -> tuple[int, int] | None:
    """Where the payload of the server's frame at `at` starts and ends; None when its header is not whole yet.

    The end may lie beyond the data. A masked frame is refused: servers never mask.
    """
    have = len(data) - at
    if have < 2:
        return None
    length = data[at + 1]
    if length < 126:
        return at + 2, at + 2 + length
    if length & 0x80:
        raise ValueError("a server sent a masked frame")
    if length == 126:
        return None if have < 4 else (at + 4, at + 4 + int.from_bytes(data[at + 2 : at + 4], "big"))
    return None if have < 10 else (at + 10, at + 10 + int.from_bytes(data[at + 2 : at + 10], "big"))


class FrameCounter:
    """Counts a server's frames, and one byte in their payloads, without looking further: for viewers only counted.

    The byte is counted in payloads alone, for a length in a header may be that byte. Pings and closes are few and
    wanted whole, so they are kept in `control`.
    """

    __slots__ = ("_head", "_mark", "_skip", "control", "frames", "marks")

    def __init__(self, mark: bytes) -> None:
        self.frames = 0
        self.marks = 0
        self.control: list[Frame] = []
        self._mark = mark
        self._head = b""  # a header (or a control frame) that the network cut
        self._skip = 0  # payload bytes of the current frame still to come

    def feed(self, data: bytearray, size: int) -> None:
        """Takes the first `size` bytes of `data`. A data frame counts when its header is there."""
        if not self._skip and not self._head and size > 3 and data[0] == 0x81:
            length = data[1]  # nearly every read is one whole text frame: no slices, no loop
            if length == 126 and size == 4 + (data[2] << 8 | data[3]):
                self.frames += 1
                self.marks += data.count(self._mark, 4, size)
                return
        self._walk(data, size)

    def _walk(self, data: bytearray, size: int) -> None:
        if self._head:
            data = bytearray(self._head) + data[:size]
            size = len(data)
            self._head = b""
        at = self._skip
        self.marks += data.count(self._mark, 0, min(at, size))
        while at < size:
            span = frame_span(memoryview(data)[:size], at)
            control = data[at] & 0x08
            if span is None or (control and span[1] > size):
                self._head = bytes(data[at:size])
                self._skip = 0
                return
            start, end = span
            if control:
                self.control.append(Frame(data[at] & 0x0F, bytes(data[start:end])))
            else:
                self.frames += data[at] >> 7  # a message in fragments counts once, at its last one
                self.marks += data.count(self._mark, start, min(end, size))
            at = end
        self._skip = at - size


def masked(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame. The mask is zero: allowed by the bytes, and this is loopback."""
    size = len(payload)
    if size < 126:
        header = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        header = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, "big")
    else:
        header = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, "big")
    return header + b"\0\0\0\0" + payload


@dataclass(frozen=True, slots=True)
class Handshake:
    """An opening handshake: the bytes to send, and the key its answer must carry."""

    request: bytes
    accept: bytes


def handshake(host: str, path: str, headers: Mapping[str, str], subprotocol: str = "") -> Handshake:
    """A client's opening handshake, without compression."""
    key = base64.b64encode(os.urandom(16))
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        *([f"Sec-WebSocket-Protocol: {subprotocol}"] if subprotocol else []),
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    return Handshake("\r\n".join([*lines, "", ""]).encode(), accept)


def check_answer(head: bytes, accept: bytes) -> None:
    """Raises ConnectionError, in words, unless `head` (all up to the empty line) accepts the handshake."""
    status, _, rest = head.partition(b"\r\n")
    if b" 101" not in status:
        raise ConnectionError(f"the server refused the socket: {status.decode(errors='replace')}")
    if accept not in rest:
        raise ConnectionError("the server's Sec-WebSocket-Accept does not fit the key")
