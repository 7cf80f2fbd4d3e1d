"""What a target is: something that viewers can watch a stream on. One file per target implements it; no measuring here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.process import Workshop
from benchmarks.task import ViewerShape

Send = Callable[[int, str], Awaitable[None]]  # (number, text) of one token


@dataclass(frozen=True, slots=True)
class Running:
    """A started target."""

    viewer: ViewerShape
    server_pids: list[int]  # the process(es) whose CPU is the figure
    broker_pids: list[int]  # Redis and the like; reported beside it
    publisher: dict[str, Any]  # for the module's open_publisher, in the publisher's process
    version: str
    publisher_env: dict[str, str] = field(default_factory=dict)


class FanoutTarget(Protocol):
    """One row of P1 and P2."""

    @property
    def name(self) -> str:
        """Short, for --target and file names."""
        ...

    @property
    def title(self) -> str:
        """For the table."""
        ...

    @property
    def publisher_module(self) -> str:
        """The module whose `open_publisher(config)` writes to it."""
        ...

    def start(self, shop: Workshop, viewers: int) -> Running:
        """Starts it, ready for that many viewers. Raises TargetUnavailable, in words, when it cannot run here."""
        ...


class PublisherModule(Protocol):
    """What publisher.py needs of a target's module."""

    def open_publisher(self, config: dict[str, Any]) -> AbstractAsyncContextManager[Send]: ...
