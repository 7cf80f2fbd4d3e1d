"""The verbs by which people change their own account."""

from __future__ import annotations

from django.db import transaction

from sessions.avatars import as_avatar, remove_avatar, set_avatar
from sessions.models import User
from sessions.text import MAX_NAME, clean_line


def rename(user: User, name: str) -> User:
    """The user under a new name. Raises LiveError `bad_request`."""
    user.name = clean_line(name, "name", MAX_NAME, required=True)
    user.save(update_fields=["name"])
    return user


@transaction.atomic
def change_profile(user: User, *, name: str | None = None, avatar: bytes | None = None) -> User:
    """The user with what is given: a name, a picture (none when it is empty). All of it, or nothing.

    Raises LiveError `bad_request` or `too_large`.
    """
    picture = as_avatar(avatar) if avatar else None
    if name is not None:
        rename(user, name)
    if picture is not None:
        set_avatar(user, picture)
    elif avatar is not None:
        remove_avatar(user)
    return user
