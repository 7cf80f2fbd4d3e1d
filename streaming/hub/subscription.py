"""One socket's view of one log, and what the hub needs to know of the socket. State only; `hub` moves it."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from streaming.hub.frames import View
from streaming.servers import Frame, Limits, SocketWriter

if TYPE_CHECKING:
    from streaming.hub.log_state import LogState

# Bytes that may wait for a socket which is not behind.
LITTLE = Limits().low


class Watcher(Protocol):
    """The hub's side of a socket."""

    writer: SocketWriter
    user_id: str | None

    def detached(self, log: str) -> None:
        """The hub ended the subscription to `log`; its last frame was sent."""

    def too_slow(self) -> None:
        """The socket took nothing for too long: close it with 4410."""


class Phase(Enum):
    ATTACHED = "attached"  # has exactly what its view was told; gets the shared frames
    CATCHING_UP = "catching up"  # a task of its own brings it to its view's position
    WAITING = "waiting"  # has more than its view was told; joins when the view gets there
    HELD = "held"  # gets nothing until it is released; a quiet one never is
    ENDED = "ended"


class Subscription:
    """`have` is the seq that the client has; while attached it is the view's."""

    __slots__ = (
        "end_reason",
        "ends_at",
        "epoch",
        "have",
        "log",
        "phase",
        "quiet",
        "snapshot_due",
        "tail",
        "task",
        "view",
        "watcher",
    )

    def __init__(self, watcher: Watcher, log: LogState, view: View, tail: int) -> None:
        self.watcher = watcher
        self.log = log
        self.view = view
        self.tail = tail
        self.quiet = False
        self.epoch = ""
        self.have = 0
        self.phase = Phase.HELD
        self.snapshot_due = False
        self.ends_at: int | None = None
        self.end_reason = ""
        self.task: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether the client has what it asked for, and what happens from now on is its next."""
        return self.phase is Phase.ATTACHED or self.phase is Phase.WAITING

    @property
    def ready(self) -> bool:
        """Whether an ephemeral event would be taken, and soon be read."""
        return self.is_live and self.watcher.writer.buffered <= LITTLE

    def tell(self, frame: Frame) -> bool:
        """Write an ephemeral event; False where the client cannot take one now."""
        return self.is_live and self.watcher.writer.write(frame)

    @property
    def have_all(self) -> bool:
        """Whether the client has everything of the log that its view shows."""
        return self.phase is Phase.ATTACHED and self.log.view(self.view).position == self.log.ring.head
