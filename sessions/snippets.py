"""The piece of a text that shows why it was found, with where the words stand in it. Text only: nothing is marked up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LENGTH = 200
BEFORE = 60
MAX_MARKS = 20
# A single quoted word is looked for as any other: as the beginning of a word.
WORD_BEGINS = r"(?<![^\W_])"
BETWEEN = r"[\W_]+"
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """`marks` are [start, end) in characters (Unicode code points) of `text`, in order and apart."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet_of(text: str, terms: Sequence[tuple[str, ...]]) -> Snippet:
    """About LENGTH characters around the first of `terms` in `text`; its beginning where none is seen."""
    terms = sorted(terms, key=lambda term: -sum(map(len, term)))  # of two that begin alike the longer is marked
    wanted = re.compile(
        WORD_BEGINS + "(?:" + "|".join(BETWEEN.join(map(re.escape, term)) for term in terms) + ")", re.IGNORECASE
    )
    first = wanted.search(text)
    begin = _begin(text, first.start()) if first else 0
    piece = text[begin : begin + LENGTH]
    if begin + LENGTH < len(text):
        piece = piece[: piece.rfind(" ", LENGTH // 2)] if " " in piece[LENGTH // 2 :] else piece
        piece += "…"
    if begin:
        piece = "…" + piece
    shown = INVISIBLE.sub(" ", piece)
    marks = [match.span() for match in wanted.finditer(shown)][:MAX_MARKS]
    return Snippet(shown, tuple(marks))


def _begin(text: str, first: int) -> int:
    """A little before the first match, at a word."""
    if first <= BEFORE:
        return 0
    space = text.find(" ", first - BEFORE, first)
    return space + 1 if space != -1 else first - BEFORE
