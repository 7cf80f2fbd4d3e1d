"""The credential that an event stream stands on: where it ends, the stream does, as a socket would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sessions.authentication import Identity
from streaming.hub import the_hub
from streaming.projections.reader import LogReader
from streaming.sockets import identities, revocation


class Standing:
    """One event stream. `session_key` is the browser's, where the cookie was the credential."""

    def __init__(self, reader: LogReader, identity: Identity, session_key: str | None = None) -> None:
        self.identity: Identity | None = identity
        self.session_key = session_key
        self._reader = reader

    def sign_out(self) -> None:
        self._reader.end(identities.ended())

    def heard(self, message: dict[str, Any]) -> None:
        if revocation.concerns(message, self):
            self.sign_out()


@contextmanager
def standing_on(reader: LogReader, identity: Identity | None, session_key: str | None = None) -> Iterator[None]:
    """End the reader within this block when the credential ends. An anonymous one stands on nothing."""
    if identity is None or identity.user is None:
        yield
        return
    standing, group = Standing(reader, identity, session_key), f"user.{identity.user.pk}"
    revocation.ensure_watching()
    revocation.event_streams.add(standing)
    the_hub().listen(group, standing.heard)
    try:
        yield
    finally:
        the_hub().unlisten(group, standing.heard)
        revocation.event_streams.discard(standing)
