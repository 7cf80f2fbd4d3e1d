"""Server-sent events out of raw bytes."""

from __future__ import annotations

import pytest

from streaming.node.sse import EventTooLarge, SSESplitter


def events(*pieces: bytes) -> list[tuple[str, bytes]]:
    splitter = SSESplitter()
    return [event for piece in pieces for event in splitter.feed(piece)] + splitter.end()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\ndata:b\n\n", [("", b"a"), ("", b"b")]),
        (b"data: a\r\ndata: b\r\n\r\n", [("", b"a\nb")]),
        (b"event: ping\rdata: x\r\rdata: y\r\r", [("ping", b"x"), ("", b"y")]),
        (b":\n\n: comment\n\nid: 7\nretry: 1\nfield\n\n", []),
        (b"event: lost\n\ndata: a\n\n", [("", b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
        (b"data:  two spaces\n\n", [("", b" two spaces")]),
        (b"data: \xff\xfe\n\n", [("", b"\xff\xfe")]),
        (b'{"error": 1}\n\nerror: {}\n\n', [("", b'{"error": 1}'), ("error", b"{}")]),
        (b"data: no blank line after", [("", b"no blank line after")]),
        (b"data: Gr\xc3\xbc\xc3\x9fe\n\n", [("", "Grüße".encode())]),
    ],
)
def test_it_splits_events_wherever_they_are_cut(stream: bytes, expected: list[tuple[str, bytes]]) -> None:
    assert events(stream) == expected
    assert events(*(bytes([byte]) for byte in stream)) == expected
    for at in range(len(stream)):
        assert events(stream[:at], stream[at:]) == expected


@pytest.mark.parametrize("endless", [b"x" * 100, b"data:\n" * 70, b"data: " + b"x" * 100])
def test_an_event_has_a_limit_however_it_comes(endless: bytes) -> None:
    splitter = SSESplitter(limit=64)
    with pytest.raises(EventTooLarge):  # noqa: PT012 - at some byte of them
        for byte in endless:
            splitter.feed(bytes([byte]))


def test_many_small_events_in_one_read_are_not_one_large_one() -> None:
    assert len(SSESplitter(limit=64).feed(b"data: x\n\n" * 100)) == 100
