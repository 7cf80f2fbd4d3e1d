"""Checking the text that people and programs send before it is stored.

Not for how text is shown: that is escaped where it is rendered.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeGuard

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from hanzo_live.protocol.errors import ErrorCode, LiveError

MAX_CONTENT = 200_000
MAX_TITLE = 200
MAX_MODEL = 200
MAX_SYSTEM_PROMPT = 50_000
MAX_KEY = 200
MAX_SLUG = 80
MAX_NAME = 120
MAX_ADDRESS = 254

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
LIKE_AN_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z")

# They show nothing themselves, but belong to words of Persian and Hindi, and to emoji.
JOINERS = "\u200c\u200d"
# Letters and symbols by their category, and yet nothing is there.
BLANK = "\u115f\u1160\u2800\u3164\uffa0"
INVISIBLE = {"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"}


def is_storable(text: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold `text`: no NUL character, no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def clean_text(value: str, field: str, max_length: int, *, required: bool = False) -> str:
    """`value`, if it can be stored. Raises LiveError `bad_request` that names `field`."""
    if len(value) > max_length:
        raise LiveError(
            ErrorCode.BAD_REQUEST, f"`{field}` may have at most {max_length:,} characters; shorten it.", field=field
        )
    if not is_storable(value):
        raise LiveError(
            ErrorCode.BAD_REQUEST,
            f"`{field}` holds characters that are no text (NUL or half a surrogate pair); remove them.",
            field=field,
        )
    if required and not value.strip():
        raise LiveError(ErrorCode.BAD_REQUEST, f"`{field}` is empty; write something.", field=field)
    return value


def clean_line(value: str, field: str, max_length: int, *, required: bool = False) -> str:
    """`value` as names and titles are kept: see `one_line`. Raises LiveError as `clean_text` does."""
    line = one_line(clean_text(value, field, max_length))
    if required and not line:
        raise LiveError(ErrorCode.BAD_REQUEST, f"`{field}` is empty; write something that can be seen.", field=field)
    return line


def one_line(text: str) -> str:
    """`text` on one line, without controls and without the marks that turn the text around them the other way.

    Empty where nothing of it shows, so that nobody goes by a name that cannot be seen.
    """
    line = " ".join(
        "".join(
            " " if unicodedata.category(character) == "Cc" else character
            for character in text
            if character in JOINERS or unicodedata.category(character) != "Cf"
        ).split()
    )
    return line if any(_shows(character) for character in line) else ""


def is_address(text: object) -> TypeGuard[str]:
    """Whether `text` is an e-mail address, without anything in it that does not show."""
    if not isinstance(text, str) or len(text) > MAX_ADDRESS or one_line(text) != text:
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _shows(character: str) -> bool:
    return character not in BLANK and unicodedata.category(character) not in INVISIBLE


def clean_slug(value: str) -> str:
    """`value` as a session's readable name. Raises LiveError `bad_request`.

    A slug that looks like an id is refused: both are used in the same place, and must never mean two sessions.
    """
    if len(value) > MAX_SLUG or not SLUG.match(value):
        raise LiveError(
            ErrorCode.BAD_REQUEST,
            f"`slug` may have small letters, digits, `-` and `_`, up to {MAX_SLUG}, and begins with a letter or digit.",
            field="slug",
        )
    if LIKE_AN_ID.match(value):
        raise LiveError(ErrorCode.BAD_REQUEST, "`slug` may not look like an id; choose words.", field="slug")
    return value
