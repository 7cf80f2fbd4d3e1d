"""What goes over a connection, in units: a frame of a WebSocket, the head of an HTTP response, or one event in it.

Reads the framing only: each unit keeps the bytes that it came as.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

HEAD = b"\r\n\r\n"
TEXT, CLOSE = 0x1, 0x8


@dataclass(frozen=True)
class Unit:
    """`kind` is the frame's `type`; `ok` for the head of a response, and empty for whatever else there is."""

    raw: bytes
    kind: str = ""
    frame: dict[str, Any] = field(default_factory=dict)


async def head(reader: asyncio.StreamReader) -> bytes:
    """Of a request or a response. Raises IncompleteReadError at the end of the connection."""
    return await reader.readuntil(HEAD)


def value(head: bytes, name: str) -> str:
    """Of a header; empty where it is not there."""
    for line in head.decode("latin-1").split("\r\n")[1:]:
        key, _, text = line.partition(":")
        if key.strip().lower() == name:
            return text.strip()
    return ""


def uncompressed(head: bytes) -> bytes:
    """The request without its wish for compression: frames are to be read here."""
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"sec-websocket-extensions")]
    return b"\r\n".join(lines)


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[Unit]:
    """The frames of a WebSocket after its handshake, of either side."""
    while True:
        raw = await reader.readexactly(2)
        opcode, length = raw[0] & 0x0F, raw[1] & 0x7F
        if length >= 126:
            more = await reader.readexactly(2 if length == 126 else 8)
            raw, length = raw + more, int.from_bytes(more)
        mask = await reader.readexactly(4) if raw[1] & 0x80 else b""
        payload = await reader.readexactly(length)
        raw += mask + payload
        if mask:
            payload = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
        yield _unit(raw, payload) if opcode == TEXT else Unit(raw)


async def responses(reader: asyncio.StreamReader) -> AsyncIterator[Unit]:
    """The responses of an HTTP connection."""
    while True:
        start = await head(reader)
        yield Unit(start, "ok")
        if value(start, "transfer-encoding").lower() == "chunked":
            async for unit in _chunks(reader):
                yield unit
        elif size := int(value(start, "content-length") or 0):
            yield Unit(await reader.readexactly(size))


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[Unit]:
    """The server writes each event as one chunk, and a long one as several."""
    raw = text = b""
    size = -1
    while size:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        body = await reader.readexactly(size + 2)
        raw, text = raw + line + body, text + body[:-2]
        if text.endswith(b"\n\n") or not size:
            data = next((each for each in text.split(b"\n") if each.startswith(b"data: ")), None)
            yield _unit(raw, data.removeprefix(b"data: ")) if data else Unit(raw)
            raw = text = b""


def _unit(raw: bytes, text: bytes) -> Unit:
    frame = json.loads(text)
    return Unit(raw, str(frame.get("type", "")), frame)


def frame_of(payload: bytes, opcode: int = TEXT) -> bytes:
    """As a server sends it."""
    length = len(payload)
    size = bytes([length]) if length < 126 else bytes([126]) + length.to_bytes(2)
    return bytes([0x80 | opcode]) + size + payload
