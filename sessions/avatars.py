"""Pictures of people: any PNG, JPEG or WebP becomes one small square WebP with nothing else in it.

Not for people without one: whoever shows them draws their initials.
"""

from __future__ import annotations

import secrets
from functools import partial
from io import BytesIO

from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image, ImageOps

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.models import User

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 2 * 1024 * 1024
# A file of a few bytes can unpack to gigabytes; this much is about 100 MB while it is worked on.
MAX_PIXELS = 24_000_000
SIDE = 256


def as_avatar(data: bytes) -> bytes:
    """`data` as a WebP of 256 × 256: upright, cut to its middle, without EXIF or anything else that came along.

    Raises LiveError `too_large`, or `bad_request` for what is no picture that we take.
    """
    if len(data) > MAX_BYTES:
        raise LiveError(ErrorCode.TOO_LARGE, "The picture has more than 2 MB; make it smaller.", field="avatar")
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_many_pixels()
            image.draft("RGB", (2 * SIDE, 2 * SIDE))  # a JPEG is read at a fraction of its size
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            square = ImageOps.fit(upright, (SIDE, SIDE))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow raises for broken files
        raise LiveError(
            ErrorCode.BAD_REQUEST, "This is no PNG, JPEG or WebP picture that can be read.", field="avatar"
        ) from error
    # A new image has the pixels and none of the profiles and comments that would be written along.
    clean = Image.new("RGBA", square.size)
    clean.paste(square)
    written = BytesIO()
    clean.save(written, "WEBP", quality=85)
    return written.getvalue()


def set_avatar(user: User, picture: bytes) -> None:
    """Give the user a picture, as `as_avatar` makes it, in place of any earlier one."""
    earlier = user.avatar.name
    # A new name each time: addresses may be kept for ever, and cannot be guessed.
    user.avatar.save(f"{secrets.token_hex(16)}.webp", ContentFile(picture), save=False)
    _keep(user, earlier)


def remove_avatar(user: User) -> None:
    """Take the user's picture away, if there is one."""
    earlier = user.avatar.name
    if earlier:
        user.avatar = None
        _keep(user, earlier)


def _keep(user: User, earlier: str | None) -> None:
    user.save(update_fields=["avatar"])
    if earlier:
        transaction.on_commit(partial(user.avatar.storage.delete, earlier))


def _too_many_pixels() -> LiveError:
    return LiveError(
        ErrorCode.TOO_LARGE,
        f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller.",
        field="avatar",
    )
