"""The verbs by which people change their own account."""

from __future__ import annotations

from sessions.models import User
from sessions.text import MAX_NAME, clean_text


def rename(user: User, name: str) -> User:
    """The user under a new name. Raises LiveError `bad_request`."""
    user.name = clean_text(name, "name", MAX_NAME, required=True).strip()
    user.save(update_fields=["name"])
    return user
