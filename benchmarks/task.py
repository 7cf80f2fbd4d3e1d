"""What the harness tells its generators of load: frozen data that survives JSON. No behaviour."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Dialect = Literal["event", "socket.io"]
CursorDialect = Literal["hanzo", "ws", "socket.io"]


@dataclass(frozen=True, slots=True)
class Step:
    """After the handshake: send this text (if any), then wait for a frame that holds `expect` (if any)."""

    send: str = ""
    expect: str = ""


@dataclass(frozen=True, slots=True)
class ViewerShape:
    """How a viewer of a target joins."""

    port: int
    path: str
    subprotocol: str = ""
    identities: list[dict[str, str]] = field(default_factory=list)  # request headers, taken in turn
    steps: list[Step] = field(default_factory=list)
    dialect: Dialect = "event"  # how frames with tokens are read
    connect_rate: float = 0.0  # handshakes a second at most; 0: as fast as answered
    sources: int = 1  # how many of 127.0.0.1, 127.0.0.2, … the viewers come from

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "steps": [Step(**step) for step in data["steps"]]})


@dataclass(frozen=True, slots=True)
class LoadTask:
    """One run of the load generator."""

    viewer: ViewerShape
    viewers: int
    sample: int
    lags_file: str
    server_pids: list[int]
    broker_pids: list[int]
    at_once: int = 32

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "viewer": ViewerShape.from_json(data["viewer"])})


@dataclass(frozen=True, slots=True)
class CrowdTask:
    """One run of the people who move their cursors."""

    viewer: ViewerShape
    people: list[str]  # ids, in the order of the viewer's identities
    session: str  # where they are, for targets with sessions
    dialect: CursorDialect
    rate: float  # moves a second of each
    sample: int  # of the people, those whose view of the others is timed
    lags_file: str
    server_pids: list[int]
    broker_pids: list[int]

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "viewer": ViewerShape.from_json(data["viewer"])})


@dataclass(frozen=True, slots=True)
class Reading:
    """One place in a history that is read again and again, and which messages it must give."""

    name: str
    kind: Literal["page", "snapshot"]
    place: str  # a page's path with its query, or the log of a snapshot
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class HistoryTask:
    """One run of who reads history."""

    port: int
    headers: dict[str, str]
    viewer: ViewerShape | None  # for snapshots
    readings: list[Reading]
    warm: int  # rounds before
    rounds: int
    server_pids: list[int]

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        viewer = ViewerShape.from_json(data["viewer"]) if data["viewer"] else None
        return cls(**{**data, "viewer": viewer, "readings": [Reading(**each) for each in data["readings"]]})
