"""Inline `<think>…</think>` in an answer's text, told from the text while it streams.

Only for engines that do not separate reasoning themselves. A tag inside Markdown code is text: a model that explains
the tag must not lose its answer to it. A closing tag that closes nothing is text too.
"""

from __future__ import annotations

import re

# (is it a thought, the text)
Piece = tuple[bool, str]

_OPEN = ("<think>", "<thinking>")
_CLOSE = {"<think>": "</think>", "<thinking>": "</thinking>"}
_LONGEST = max(map(len, _CLOSE.values()))
_MARK = re.compile(r"<|`+|\n")


class ThinkSplitter:
    """`feed` text, get pieces; what may be the start of a tag is held back, never more than a dozen characters."""

    __slots__ = ("_code", "_held", "_open", "_trim")

    def __init__(self) -> None:
        self._held = ""
        self._open = ""  # the tag that is open
        self._code = ""  # the run of backticks that is open
        self._trim = False  # white space right after a tag is not said

    def feed(self, text: str) -> list[Piece]:
        if not text:
            return []
        if not (self._held or self._open or self._trim) and "<" not in text and "`" not in text:
            if self._code and "\n" in text:
                self._end_line()
            return [(False, text)]
        text = self._held + text
        self._held = ""
        pieces: list[Piece] = []
        while text:
            text = self._inside(text, pieces) if self._open else self._outside(text, pieces)
        return pieces

    def flush(self) -> list[Piece]:
        """What was held back, when the answer ends."""
        pieces: list[Piece] = []
        held, self._held = self._held, ""
        self._say(held, pieces)
        return pieces

    def _inside(self, text: str, pieces: list[Piece]) -> str:
        """Up to the closing tag; returns what is left to look at."""
        close = _CLOSE[self._open]
        at = text.find(close)
        if at < 0:
            keep = _tail_that_begins(text, (close,))
            self._held = text[len(text) - keep :]
            self._say(text[: len(text) - keep], pieces)
            return ""
        self._say(text[:at], pieces)
        self._open = ""
        self._trim = True
        return text[at + len(close) :]

    def _outside(self, text: str, pieces: list[Piece]) -> str:
        """Up to an opening tag that is not in code; returns what is left to look at."""
        at = 0
        while mark := _MARK.search(text, at):
            found = mark.group()
            if found == "\n":
                self._end_line()
            elif found == "<":
                if not self._code:
                    rest = text[mark.start() :]
                    for tag in _OPEN:
                        if rest.startswith(tag):
                            self._say(text[: mark.start()], pieces)
                            self._open = tag
                            self._trim = True
                            return rest[len(tag) :]
                    if any(tag.startswith(rest) for tag in _OPEN):
                        self._say(text[: mark.start()], pieces)
                        self._held = rest
                        return ""
            elif mark.end() == len(text) and len(found) < _LONGEST:
                # More backticks may follow in the next piece: the run's length decides.
                self._say(text[: mark.start()], pieces)
                self._held = found
                return ""
            elif not self._code:
                self._code = found
            elif found == self._code:
                self._code = ""
            at = mark.end()
        self._say(text, pieces)
        return ""

    def _end_line(self) -> None:
        if len(self._code) < 3:  # a code span that never closed is no code; a fence goes over lines
            self._code = ""

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if self._trim and text:
            text = text.lstrip()
            self._trim = not text
        if text:
            pieces.append((bool(self._open), text))


def _tail_that_begins(text: str, tags: tuple[str, ...]) -> int:
    """How many characters at the end of `text` may be the start of one of `tags`."""
    for size in range(min(len(text), _LONGEST - 1), 0, -1):
        if any(tag.startswith(text[-size:]) for tag in tags):
            return size
    return 0
