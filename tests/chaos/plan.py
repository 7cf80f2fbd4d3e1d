"""What happens in a round, drawn from its seed alone: the same seed, the same plan."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

What = Literal["kill", "pause", "starve", "stop", "cut", "dead"]

# What can be done to whom. The database is stopped as by a crash, and started again; wires are cut, or carry nothing.
FAULTS: tuple[tuple[str, What], ...] = (
    ("worker-1", "kill"),
    ("worker-1", "pause"),
    ("worker-1", "starve"),
    ("worker-2", "kill"),
    ("worker-2", "pause"),
    ("web-1", "kill"),
    ("web-1", "pause"),
    ("web-1", "starve"),
    ("web-2", "kill"),
    ("web-2", "pause"),
    ("redis", "kill"),
    ("redis", "pause"),
    ("redis", "starve"),
    ("database", "stop"),
    ("node", "pause"),
    ("node", "starve"),
    ("node-wire", "cut"),
    ("node-wire", "dead"),
    ("viewer-wires", "cut"),
    ("viewer-wires", "dead"),
)

# Whatever a model does on its way, its whole text is known beforehand.
MODELS = (
    "script-slow@rate={rate},tokens={tokens}",
    "script-continue@rate={rate},tokens={tokens}",
    "script-thoughts@rate={rate},thoughts=40,tokens={tokens}",
    "script-think-tags@rate={rate},thoughts=40,tokens={tokens}",
    "script-recover@rate={rate},tokens={tokens},fail_at=20",
    "script-fast@tokens={tokens}",
)
TOOLS = "script-tools"

AFTER_S = (0.1, 1.2)
LASTING_S = (0.2, 2.5)


@dataclass(frozen=True)
class Fault:
    """`after` so many seconds `what` is done to `victim`; what can last lasts so long."""

    after: float
    victim: str
    what: What
    lasting: float

    def __str__(self) -> str:
        lasting = "" if self.what in ("kill", "cut") else f" for {self.lasting:.1f} s"
        return f"{self.what} {self.victim} after {self.after:.1f} s{lasting}"


@dataclass(frozen=True)
class Ask:
    """One prompt. A tool's call is approved, or denied; `stopped_at` is after so many words."""

    model: str
    approved: bool | None = None
    stopped_at: int | None = None


@dataclass(frozen=True)
class Plan:
    """`rooms` has for each session the prompts, in order. `removed` is when a member is put out of the first one.

    A connection is cut `cut_after` so many bytes at the latest: enough for a snapshot, or nobody would ever catch up.
    """

    seed: int
    number: int
    rooms: tuple[tuple[Ask, ...], ...]
    faults: tuple[Fault, ...]
    removed: float
    split: int
    delay_ms: int
    cut_after: int

    def __str__(self) -> str:
        asks = " | ".join(", ".join(_short(ask) for ask in room) for room in self.rooms)
        return f"{'; '.join(map(str, self.faults))} [{asks}]"


def _short(ask: Ask) -> str:
    name = ask.model.partition("@")[0].removeprefix("script-")
    return name + ("" if ask.stopped_at is None else " (stopped)")


def plan(seed: int, number: int) -> Plan:
    """The round of that number."""
    chance = Random(f"{seed}:{number}")
    return Plan(
        seed=seed,
        number=number,
        rooms=tuple(tuple(_ask(chance) for _ in range(chance.randint(1, 2))) for _ in range(2)),
        faults=tuple(
            Fault(chance.uniform(*AFTER_S), victim, what, chance.uniform(*LASTING_S))
            for victim, what in chance.sample(FAULTS, chance.choice((1, 1, 2)))
        ),
        removed=chance.uniform(0.3, 1.5),
        split=chance.choice((1, 7, 100, 65_536)),
        delay_ms=chance.choice((0, 0, 5, 40)),
        cut_after=chance.choice((20_000, 60_000, 10_000_000)),
    )


def _ask(chance: Random) -> Ask:
    if chance.random() < 0.2:
        return Ask(TOOLS, approved=chance.random() < 0.5)
    model = chance.choice(MODELS).format(rate=chance.choice((40, 80, 200)), tokens=chance.randint(30, 120))
    return Ask(model, stopped_at=chance.randint(5, 25) if chance.random() < 0.25 else None)
