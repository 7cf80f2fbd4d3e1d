"""The labelled set that the guard is held to: pairs of questions, and whether they ask the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streaming.cache.semantic.embedding import MiniLM
from streaming.cache.semantic.guard import asks_the_same

PATH = Path(__file__).parent / "pairs.tsv"


@dataclass(frozen=True, slots=True)
class Pair:
    same: bool
    differs_in: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are of the pairs that ask the same (hits) or something else (false hits)."""

    same: int
    hits: int
    missed: tuple[Pair, ...]
    different: int
    false_hits: tuple[Pair, ...]
    alike: int  # different ones that the embedding alone would have let through

    @property
    def hit_share(self) -> float:
        return self.hits / self.same


def labelled() -> list[Pair]:
    lines = PATH.read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Pair(label == "same", differs, one, other) for label, differs, one, other in rows]


def measure(model: MiniLM, threshold: float) -> Figures:
    """What the cache would do with each pair, one of them kept and the other asked."""
    hits, alike = 0, 0
    missed, false_hits = [], []
    pairs = labelled()
    for pair in pairs:
        near = float(model.embed(pair.one) @ model.embed(pair.other)) >= threshold
        hit = near and asks_the_same(pair.one, pair.other)
        if pair.same:
            hits += hit
            if not hit:
                missed.append(pair)
        else:
            alike += near
            if hit:
                false_hits.append(pair)
    same = sum(pair.same for pair in pairs)
    return Figures(same, hits, tuple(missed), len(pairs) - same, tuple(false_hits), alike)
