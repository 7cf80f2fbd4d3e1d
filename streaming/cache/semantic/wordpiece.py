"""BERT's WordPiece for English text (uncased): text to the numbers that the embedding model reads.

The vocabulary is that of bert-base-uncased (Apache-2.0), on which all-MiniLM-L6-v2 stands; a line's number is its word's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# What the model was trained to read; more is cut.
MAX_TOKENS = 256
MAX_WORD = 100


class WordPiece:
    def __init__(self, vocabulary: list[str]) -> None:
        self._numbers = {word: number for number, word in enumerate(vocabulary)}
        self._unknown, self._begin, self._end = (self._numbers[word] for word in ("[UNK]", "[CLS]", "[SEP]"))

    def encode(self, text: str) -> list[int]:
        """The numbers of `text` between the model's marks for beginning and end."""
        numbers = [self._begin]
        for word in _words(text):
            numbers += self._pieces(word)
            if len(numbers) >= MAX_TOKENS - 1:
                break
        return [*numbers[: MAX_TOKENS - 1], self._end]

    def _pieces(self, word: str) -> list[int]:
        """The longest known beginnings, one after the other."""
        if len(word) > MAX_WORD:
            return [self._unknown]
        pieces, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else f"##{word[start:end]}"
                if (number := self._numbers.get(piece)) is not None:
                    break
            else:
                return [self._unknown]
            pieces.append(number)
            start = end
        return pieces


def _words(text: str) -> Iterator[str]:
    word: list[str] = []
    for char in _plain(text):
        if char.isspace():
            yield from _ended(word)
        elif _is_alone(char):
            yield from _ended(word)
            yield char
        else:
            word.append(char)
    yield from _ended(word)


def _ended(word: list[str]) -> Iterator[str]:
    if word:
        yield "".join(word)
        word.clear()


def _plain(text: str) -> Iterator[str]:
    """Without control characters, in lower case, without accents."""
    for char in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(char)
        if char in "\t\n\r" or category == "Zs":
            yield " "
        elif category != "Mn" and not category.startswith("C") and char != "\ufffd":
            yield char


def _is_alone(char: str) -> bool:
    """Punctuation, every sign of ASCII, and Chinese characters are words by themselves."""
    code = ord(char)
    return (
        (code < 128 and not char.isalnum())
        or unicodedata.category(char).startswith("P")
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x2CEAF
        or 0x2F800 <= code <= 0x2FA1F
    )


@cache
def bert_uncased() -> WordPiece:
    lines = (Path(__file__).parent / "vocab.txt").read_text("utf-8").split("\n")
    return WordPiece(lines[:-1] if lines[-1] == "" else lines)
