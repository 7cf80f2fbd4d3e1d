"""Titles that nobody typed: of a session that has none yet, and of a copy."""

from __future__ import annotations

import unicodedata

from sessions.text import MAX_TITLE, one_line

UNTITLED = "Untitled session"
FROM_PROMPT = 60
COPY = " (copy)"

# Markdown's marks before a line's words.
MARKS = "#>*-+`~_ \t"
# What joins the character before it, as an accent or a skin tone does: no cut in between.
ZERO_WIDTH_JOINER = "\u200d"
SKIN_TONES = range(0x1F3FB, 0x1F400)


def title_from(prompt: str) -> str:
    """The prompt's first line with words in it, cut at a word; UNTITLED where no line has any."""
    for line in prompt.splitlines():
        words = one_line(line).lstrip(MARKS)
        if words:
            return _cut(words, FROM_PROMPT)
    return UNTITLED


def title_of_copy(title: str) -> str:
    """The title of a copy of a session with `title`."""
    return _cut(title, MAX_TITLE - len(COPY)) + COPY


def _cut(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    end = text.rfind(" ", length // 2, length)
    if end == -1:
        end = length - 1
        while end > 1 and _joins(text, end):
            end -= 1
    return text[:end].rstrip(" ,;:.-") + "…"


def _joins(text: str, position: int) -> bool:
    """Whether the character there belongs to the one before it."""
    character = text[position]
    return (
        unicodedata.combining(character) > 0
        or unicodedata.category(character) in ("Mn", "Me")
        or character == ZERO_WIDTH_JOINER
        or text[position - 1] == ZERO_WIDTH_JOINER
        or ord(character) in SKIN_TONES
    )
