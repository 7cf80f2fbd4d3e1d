"""Vectors in memory, searched by similarity: blocks of numpy, one line of blocks for all that may answer one another.

Exact, not approximate: what a search leaves out cannot reach the threshold. A vector is turned (by a rotation that is
the same for all) and its first HEAD numbers are compared; the rest can add at most the product of the two lengths that
remain. Of strangers hardly one in a thousand comes further. Vectors of different sizes are never compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
# A kind, and how many numbers its vectors have.
_Place = tuple[bytes, int]

# The share of a vector's numbers that is looked through.
HEAD = 1 / 4
# Longer ones are left as they are: to turn them costs more than it saves.
TURNED = 1_024
ROWS = 4_096
# What float16 and rounding may take from a similarity.
SLACK = 2e-3


@dataclass(frozen=True, slots=True)
class Near:
    similarity: float
    key: str
    prompt: str


@dataclass(slots=True)
class _Line:
    """The entries of one kind; `heads` and `tails` (lengths) to look through, `whole` to compare."""

    size: int
    head: int
    keys: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    heads: list[NDArray[np.float32]] = field(default_factory=list)
    tails: list[NDArray[np.float32]] = field(default_factory=list)
    whole: list[NDArray[np.float16]] = field(default_factory=list)


class Index:
    """Up to `most` entries; the oldest half is let go of above it. Not for several threads at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: dict[_Place, _Line] = {}
        self._known: dict[str, _Place] = {}
        self._gone: set[str] = set()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, kind: bytes, key: str, prompt: str, vector: Vector) -> None:
        """Make the entry one that is found among those of its kind, and among no others where it was of another."""
        if self._known.get(key) == (kind, len(vector)):
            self._gone.discard(key)
            return
        if len(self._known) >= self._most:
            self._forget()
        self._gone.discard(key)
        self._add(kind, key, prompt, _turned(vector))

    def _add(self, kind: bytes, key: str, prompt: str, turned: Vector) -> None:
        size = len(turned)
        place = (kind, size)
        line = self._lines.setdefault(place, _Line(size, int(size * HEAD)))
        row = len(line.keys) % ROWS
        if row == 0:
            line.heads.append(np.zeros((ROWS, line.head), np.float32))
            line.tails.append(np.zeros(ROWS, np.float32))
            line.whole.append(np.zeros((ROWS, size), np.float16))
        line.heads[-1][row] = turned[: line.head]
        line.tails[-1][row] = np.linalg.norm(turned[line.head :])
        line.whole[-1][row] = turned
        line.keys.append(key)
        line.prompts.append(prompt)
        self._known[key] = place

    def discard(self, key: str) -> None:
        """The entry is not there any more."""
        if key in self._known:
            self._gone.add(key)

    def search(self, kind: bytes, vector: Vector, threshold: float, most: int) -> list[Near]:
        """The entries of that kind that are at least so similar, the most similar first."""
        place = (kind, len(vector))
        line = self._lines.get(place)
        if line is None:
            return []
        turned = _turned(vector)
        head, tail = turned[: line.head], float(np.linalg.norm(turned[line.head :]))
        near: list[Near] = []
        for block, (heads, tails) in enumerate(zip(line.heads, line.tails, strict=True)):
            filled = min(ROWS, len(line.keys) - block * ROWS)
            might = np.flatnonzero(heads[:filled] @ head + tails[:filled] * tail >= threshold - SLACK)
            if not len(might):
                continue
            similarities = line.whole[block][might].astype(np.float32) @ turned
            enough = similarities >= threshold - SLACK
            for row, similarity in zip(might[enough].tolist(), similarities[enough].tolist(), strict=True):
                at = block * ROWS + row
                if line.keys[at] not in self._gone and self._known[line.keys[at]] == place:
                    near.append(Near(min(1.0, similarity), line.keys[at], line.prompts[at]))
        return sorted(near, key=lambda each: -each.similarity)[:most]

    def _forget(self) -> None:
        """Begin anew with the newer half. Those let go of are asked for again: a model is a fallback, memory is not."""
        kept = {key: self._known[key] for key in list(self._known)[len(self._known) // 2 :] if key not in self._gone}
        lines, self._lines, self._known, self._gone = self._lines, {}, {}, set()
        for place, line in lines.items():
            kind, _ = place
            for at, key in enumerate(line.keys):
                if kept.get(key) == place:
                    self._add(kind, key, line.prompts[at], line.whole[at // ROWS][at % ROWS].astype(np.float32))


def _turned(vector: Vector) -> Vector:
    return vector @ _rotation(len(vector)) if len(vector) <= TURNED else vector


@lru_cache(maxsize=8)
def _rotation(size: int) -> NDArray[np.float32]:
    """The same for all vectors of that size."""
    square = np.random.default_rng(size).standard_normal((size, size))
    rotation: NDArray[np.float32] = np.linalg.qr(square)[0].astype(np.float32)
    return rotation
