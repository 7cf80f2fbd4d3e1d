"""What a target is: something to watch a stream on (P1, P2), to ask for an answer (P4), to pull answers with (P5), to move
cursors in (P10), to read history from (P11). No measuring here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.asker import Place
from benchmarks.process import Workshop
from benchmarks.task import CursorDialect, Reading, ViewerShape

Scripts = Mapping[str, str]  # plain name → the scripted node's model with its parameters
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


@dataclass(frozen=True, slots=True)
class AskRunning:
    """A started target of P4."""

    place: Place
    version: str
    pids: list[int]  # everything of it, for its CPU
    models: Scripts  # plain name → what a client of this target asks for


class AskTarget(Protocol):
    """One row of P4."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def start(self, shop: Workshop, node_port: int, scripts: Scripts) -> AskRunning:
        """Starts it before the node on `node_port`, able to pass these scripts on. Raises TargetUnavailable, in words."""
        ...


@dataclass(frozen=True, slots=True)
class PullRunning:
    """A started target of P5. The node itself has its own port, and nothing else."""

    port: int
    headers: dict[str, str]
    worker_pids: list[int]  # whose CPU is the figure
    broker_pids: list[int]
    redis_url: str  # where the logs are, without any detour
    version: str
    hinder: Callable[[], None] = lambda: None  # called once all streams run, before the measuring begins


class PullTarget(Protocol):
    """One row of P5."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def start(self, shop: Workshop, node_port: int) -> PullRunning:
        """Starts it before the node on `node_port`. Raises TargetUnavailable, in words."""
        ...


class PublisherModule(Protocol):
    """What publisher.py needs of a target's module."""

    def open_publisher(self, config: dict[str, Any]) -> AbstractAsyncContextManager[Send]: ...


@dataclass(frozen=True, slots=True)
class CursorsRunning:
    """A started target of P10."""

    viewer: ViewerShape  # whose identities are the people's
    people: list[str]  # their ids
    session: str  # where they are; empty for a target without sessions
    dialect: CursorDialect
    server_pids: list[int]
    broker_pids: list[int]
    version: str


class CursorTarget(Protocol):
    """One row of P10."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def start(self, shop: Workshop, people: int) -> CursorsRunning:
        """Starts it, with so many people who may come in. Raises TargetUnavailable, in words."""
        ...


@dataclass(frozen=True, slots=True)
class HistoryRunning:
    """A started server of P11, and where in its histories to read."""

    name: str
    title: str
    port: int
    headers: dict[str, str]
    viewer: ViewerShape | None  # for snapshots; None where there are none
    readings: list[Reading]
    server_pids: list[int]
    version: str


class HistoryTarget(Protocol):
    """Some rows of P11, which stand on the same data."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def start(self, shop: Workshop, sizes: list[int]) -> list[HistoryRunning]:
        """Starts them, with a session of each size. Raises TargetUnavailable, in words."""
        ...
