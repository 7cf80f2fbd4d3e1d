"""The text that a benchmark streams: every token says its number and when it was sent. No I/O."""

from __future__ import annotations

import hashlib
import re

MARK = "~"  # once in every token and nowhere else on the wire, so that tokens are counted without parsing
MARK_BYTE = MARK.encode()
_TAILS = (" ", " ", " ", "é", " ", "\n", " ", '"', " ", "\\", " ", "☃", " ", "😀", " ", "</")
_TOKEN = re.compile(rf"(\d{{7}}){MARK}(\d{{16}})")


def token(number: int, sent_ns: int) -> str:
    """Token `number` (from 0), sent at `sent_ns` of the monotonic clock. Some end in what encoders get wrong."""
    return f"{number:07d}{MARK}{sent_ns // 1000:016d}{_TAILS[number % len(_TAILS)]}"


def sent_times(text: str) -> list[int]:
    """When each token of a whole text was sent, in µs, in order."""
    return [int(match[2]) for match in _TOKEN.finditer(text)]


def digest(text: str) -> str:
    """What two texts are compared by."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Reader:
    """One viewer's text as it grows: when which token came, and whether it is what was sent."""

    __slots__ = ("_parts", "_rest", "next_number", "ordered")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._rest = ""
        self.next_number = 0
        self.ordered = True

    def feed(self, text: str) -> list[tuple[int, int]]:
        """[(number, sent in µs)] of the tokens in `text`. A cut number is kept for the next call."""
        self._parts.append(text)
        self._rest += text
        found: list[tuple[int, int]] = []
        end = 0
        for match in _TOKEN.finditer(self._rest):
            number = int(match[1])
            self.ordered = self.ordered and number == self.next_number
            self.next_number = number + 1
            found.append((number, int(match[2])))
            end = match.end()
        self._rest = self._rest[end:]
        return found

    def is_prefix_of(self, sent: str) -> bool:
        """Whether everything received is, byte for byte, the beginning of `sent`."""
        have = "".join(self._parts)
        return digest(have) == digest(sent[: len(have)])
