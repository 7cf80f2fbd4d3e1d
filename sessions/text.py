"""Checking the text that people and programs send before it is stored.

Not for how text is shown: that is escaped where it is rendered.
"""

from __future__ import annotations

import re

from hanzo_live.protocol.errors import ErrorCode, LiveError

MAX_CONTENT = 200_000
MAX_TITLE = 200
MAX_MODEL = 200
MAX_SYSTEM_PROMPT = 50_000
MAX_KEY = 200
MAX_SLUG = 80
MAX_NAME = 120

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
LIKE_AN_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\Z")


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
