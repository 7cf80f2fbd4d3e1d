"""What the harness tells the load generator: frozen data that survives JSON. No behaviour."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Dialect = Literal["event", "socket.io"]


@dataclass(frozen=True, slots=True)
class Step:
    """After the handshake: send this text (if any), then wait for a frame that holds `expect` (if any)."""

    send: str = ""
    expect: str = ""


@dataclass(frozen=True, slots=True)
class ViewerShape:
    """How a viewer of a target joins, and how its frames are read."""

    port: int
    path: str
    subprotocol: str = ""
    identities: list[dict[str, str]] = field(default_factory=list)  # request headers, taken in turn
    steps: list[Step] = field(default_factory=list)
    dialect: Dialect = "event"
    connect_rate: float = 0.0  # handshakes a second at most; 0: as fast as answered
    sources: int = 1  # how many of 127.0.0.1, 127.0.0.2, … the viewers come from


@dataclass(frozen=True, slots=True)
class LoadTask:
    """One run of the load generator."""

    port: int
    path: str
    viewers: int
    sample: int
    lags_file: str
    server_pids: list[int]
    broker_pids: list[int]
    subprotocol: str = ""
    identities: list[dict[str, str]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    dialect: Dialect = "event"
    connect_rate: float = 0.0
    sources: int = 1
    at_once: int = 32

    @classmethod
    def of(cls, shape: ViewerShape, **rest: Any) -> Self:
        """A task for viewers of this shape."""
        return cls(**{f.name: getattr(shape, f.name) for f in dataclasses.fields(shape)}, **rest)

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "steps": [Step(**step) for step in data["steps"]]})
