"""Sending what is made piece by piece while it is sent. Not for what the pieces hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async

SEND_AT = 64 * 1024


async def in_pieces(made: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, in pieces worth a step of their own, each made in the request's thread: they read the database."""
    pieces = _joined(made)
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= SEND_AT:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
