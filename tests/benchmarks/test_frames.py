"""The load generator's reading of WebSocket bytes: right however the network cuts them."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame as RealFrame
from websockets.frames import Opcode
from websockets.protocol import SERVER, Protocol, State

from benchmarks import frames

MARK = b"~"
payloads = st.one_of(
    st.binary(max_size=130),
    st.binary(min_size=120, max_size=300).map(lambda part: part + MARK),
    st.just(b"~" * 126),  # a header whose length byte is the mark itself
    st.just(b"x" * 70_000 + MARK),
)
sent_frames = st.lists(st.tuples(st.sampled_from([Opcode.TEXT, Opcode.PING, Opcode.BINARY]), payloads), max_size=12)


def wire(sent: list[tuple[Opcode, bytes]]) -> bytes:
    """As a real server writes it. Control frames carry at most 125 bytes."""
    return b"".join(
        RealFrame(opcode, payload[:125] if opcode is Opcode.PING else payload).serialize(mask=False)
        for opcode, payload in sent
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


@given(sent_frames, st.lists(st.integers(0, 200_000), max_size=30))
def test_a_counter_counts_frames_and_marks_however_they_are_cut(
    sent: list[tuple[Opcode, bytes]], places: list[int]
) -> None:
    counter = frames.FrameCounter(MARK)
    for piece in cut(wire(sent), places):
        buffer = bytearray(piece + b"~~\x81\x01~")  # what an earlier read left behind in the buffer
        counter.feed(buffer, len(piece))
    data = [payload for opcode, payload in sent if opcode is not Opcode.PING]
    assert counter.frames == len(data)
    assert counter.marks == sum(payload.count(MARK) for payload in data)
    assert [frame.payload for frame in counter.control] == [p[:125] for opcode, p in sent if opcode is Opcode.PING]


@given(sent_frames, st.lists(st.integers(0, 200_000), max_size=30))
def test_a_reader_gives_every_payload_however_it_is_cut(sent: list[tuple[Opcode, bytes]], places: list[int]) -> None:
    reader = frames.FrameReader()
    seen = [frame for piece in cut(wire(sent), places) for frame in reader.feed(piece)]
    assert [(frame.opcode, frame.payload) for frame in seen] == [
        (opcode, payload[:125] if opcode is Opcode.PING else payload) for opcode, payload in sent
    ]
    assert not reader.rest


def test_a_message_in_fragments_counts_once() -> None:
    data = bytearray(
        RealFrame(Opcode.TEXT, b"a~", fin=False).serialize(mask=False)
        + RealFrame(Opcode.CONT, b"b~").serialize(mask=False)
    )
    counter = frames.FrameCounter(MARK)
    counter.feed(data, len(data))
    assert (counter.frames, counter.marks) == (1, 2)


def test_a_masked_frame_from_a_server_is_refused() -> None:
    with pytest.raises(ValueError, match="masked"):
        frames.FrameReader().feed(frames.masked(b"hello"))


@pytest.mark.parametrize("size", [0, 5, 125, 126, 65_535, 65_536])
def test_a_server_reads_what_a_viewer_sends(size: int) -> None:
    server = Protocol(SERVER, state=State.OPEN)
    server.receive_data(frames.masked(b"x" * size))
    (event,) = server.events_received()
    assert isinstance(event, RealFrame)
    assert event.data == b"x" * size


def test_a_handshake_is_accepted_only_with_the_right_answer() -> None:
    opening = frames.handshake("127.0.0.1:1", "/v1/live", {"Authorization": "Bearer t"}, "hanzo.live.v1")
    assert b"GET /v1/live HTTP/1.1\r\n" in opening.request
    assert b"Authorization: Bearer t\r\n" in opening.request
    assert b"Sec-WebSocket-Protocol: hanzo.live.v1\r\n" in opening.request
    key = opening.request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    right = b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: " + right + b"\r\n"
    frames.check_answer(head, opening.accept)
    with pytest.raises(ConnectionError, match="does not fit"):
        frames.check_answer(head.replace(right, b"wrong"), opening.accept)
    with pytest.raises(ConnectionError, match="401"):
        frames.check_answer(b"HTTP/1.1 401 Unauthorized\r\n", opening.accept)
