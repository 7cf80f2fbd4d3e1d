"""What a scenario file may say. Each is data: what is asked, what the wire and the client do, and how it must end.

`tests/contract/scenarios/*.yaml` are those that every client passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parents[1] / "scenarios"

Kind = Literal["websocket", "edge", "store", "sse"]
"""`edge`: over a socket as well, with a Worker of `@hanzo/live-edge` between the client and the wire."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ask(Strict):
    """One answer. `ends` is its finish reason, or the code of the error in upper case."""

    model: str
    show_thoughts: bool = False
    flush_ms: int | None = None
    buffer_size: int | None = None
    local_node_url: str | None = None
    ends: str = "stop"
    text: Literal["whole", "beginning", "none"] = "whole"
    """Of what the node says: all of it, some of it from the start, or nothing."""
    kinds: tuple[str, ...] = ()
    """The events in order, neighbours of one kind as one; empty where that is not of interest."""
    asked: int = 1
    """How often the node was asked."""
    merged: bool = False
    """Whether some token events must hold several tokens."""


class Cut(Strict):
    """What the wire does at the `nth` frame of type `at` that the server sends, counted over all connections.

    `cut` breaks the connection after the frame, `cut before` instead of it, `cut inside` in the middle of it; `drop` loses
    it, `twice` repeats it, `delay` brings it and what follows `ms` later, `hold` no sooner than the answer is over. `away`
    is a cut after which the server cannot be reached until the answer is over, `gone` one after which it never can, and
    `trim` is `away` while the log's events are trimmed away, `forget` while Redis loses the log. `say` sends the client `frame` first, `close` closes with `code`.
    """

    at: str
    nth: int = 1
    do: Literal[
        "cut",
        "cut before",
        "cut inside",
        "drop",
        "twice",
        "delay",
        "hold",
        "away",
        "gone",
        "trim",
        "forget",
        "say",
        "close",
    ]
    ms: int = 0
    code: int = 0
    frame: dict[str, object] | None = None


class Step(Strict):
    """What the client does once it has had so many tokens (or pieces of text): `stop` the answer, or `rest`, that is
    read no more until the server has written all of it.
    """

    after: int
    step: Literal["stop", "rest"]


class Scenario(Strict):
    says: str
    asks: tuple[Ask, ...] = Field(min_length=1)
    wire: tuple[Cut, ...] = ()
    client: tuple[Step, ...] = ()
    token: Literal["good", "wrong"] = "good"
    max_attempts: int = 400
    sent: tuple[str, ...] = ()
    """Commands that a client must have sent over its sockets."""
    modes: tuple[str, ...] = ()
    """What some `subscribe` must have been answered with; "a or b" is either."""
    without: dict[Kind, str] = {}
    """Why clients of a kind cannot come into this."""


@dataclass(frozen=True)
class Named:
    name: str
    scenario: Scenario


def scenarios() -> list[Named]:
    """All of them, by their files' names. Raises ValidationError for a file that says what means nothing."""
    files = sorted(FOLDER.glob("*.yaml"))
    return [Named(file.stem, Scenario.model_validate(yaml.safe_load(file.read_text()))) for file in files]
