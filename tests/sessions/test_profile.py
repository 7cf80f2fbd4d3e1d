"""One's own name and picture, on the page and over REST."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image
from pytest_django import Settings

from hanzo_live.protocol.errors import LiveError
from sessions.avatars import MAX_BYTES, as_avatar, set_avatar
from sessions.models import User
from sessions.profile_pages import initials
from tests.rest import assert_is_error, call


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def browser(owner: User, signed_in: Callable[..., Client]) -> Client:
    return signed_in(owner)


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Callable[[], AbstractContextManager[Any]]:
    """What happens within it is committed at its end."""
    return partial(django_capture_on_commit_callbacks, execute=True)


def image(format: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any) -> bytes:
    written = BytesIO()
    Image.new(mode, size, "red" if mode != "P" else 1).save(written, format, **options)
    return written.getvalue()


def bomb() -> bytes:
    """A PNG of 30,000 × 30,000 pixels in about a thousand bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(900_000)))


def upload(client: Client, data: bytes, name: str = "Olga") -> Any:
    return client.post("/accounts/profile/", {"name": name, "avatar": SimpleUploadedFile("me.png", data)})


def patch(client: Client, **fields: Any) -> Any:
    return client.generic("PATCH", "/v1/me", encode_multipart(BOUNDARY, fields), MULTIPART_CONTENT)


def stored(folder: Path) -> list[Path]:
    return list((folder / "avatars").glob("*"))


# What becomes of a picture ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        image("PNG"),
        image("PNG", mode="P"),
        image("PNG", mode="RGBA"),
        image("PNG", mode="I;16"),
        image("JPEG", (4000, 3000)),
        image("JPEG", mode="CMYK"),
        image("WEBP", (1, 1)),
        image("PNG", (3, 2000)),
    ],
    ids=["png", "palette", "rgba", "16 bit", "big jpeg", "cmyk", "one pixel", "narrow"],
)
def test_every_picture_becomes_a_square_webp(data: bytes) -> None:
    with Image.open(BytesIO(as_avatar(data))) as result:
        assert (result.format, result.size) == ("WEBP", (256, 256))


def test_where_it_was_taken_is_taken_off_and_how_it_was_held_is_put_right() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif[0x0112] = 6  # turned by a quarter
    sideways = Image.new("RGB", (200, 200), "red")
    sideways.paste("blue", (0, 0, 100, 200))
    written = BytesIO()
    sideways.save(written, "JPEG", exif=exif, icc_profile=b"a profile", comment=b"a comment", quality=95)
    result = as_avatar(written.getvalue())
    with Image.open(BytesIO(result)) as picture:
        assert not picture.getexif()
        assert not {"icc_profile", "comment", "xmp", "exif"} & set(picture.info)
        rgb = picture.convert("RGB")
        above, below = rgb.getpixel((128, 30)), rgb.getpixel((128, 220))
    assert isinstance(above, tuple)
    assert isinstance(below, tuple)
    assert above[2] > 200 > below[2]
    assert b"at home" not in result


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "bad_request"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "bad_request"),
        (image("GIF"), "bad_request"),
        (image("BMP"), "bad_request"),
        (image("PNG")[:60], "bad_request"),
        (image("JPEG")[:400], "bad_request"),
        (bomb(), "too_large"),
        (image("PNG", (6000, 5000), "1"), "too_large"),
        (image("PNG") + bytes(MAX_BYTES), "too_large"),
    ],
    ids=["empty", "svg", "gif", "bmp", "cut png", "cut jpeg", "bomb", "too many pixels", "too many bytes"],
)
def test_what_is_no_picture_of_ours_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(LiveError) as refused:
        as_avatar(data)
    assert (refused.value.code, refused.value.field) == (code, "avatar")


# The page ---------------------------------------------------------------------------------------------------------


def test_a_name_and_a_picture_are_set_changed_and_taken_away(
    owner: User, browser: Client, media: Path, committed: Callable[[], AbstractContextManager[Any]]
) -> None:
    assert ">O</span>" in browser.get("/accounts/profile/").content.decode()
    assert upload(browser, image(), "Olga Petrova").status_code == 302
    owner.refresh_from_db()
    assert owner.name == "Olga Petrova"
    first = owner.avatar.url
    assert f'src="{first}"' in browser.get("/accounts/profile/").content.decode()
    with committed():
        upload(browser, image("JPEG"))
    owner.refresh_from_db()
    assert owner.avatar.url != first
    assert len(stored(media)) == 1
    with committed():
        browser.post("/accounts/profile/", {"remove": "1"})
    owner.refresh_from_db()
    assert not owner.avatar
    assert not stored(media)


@pytest.mark.parametrize("data", [b"no picture", bomb(), image() + bytes(MAX_BYTES)])
def test_a_picture_that_cannot_be_taken_is_refused_with_the_reason_and_changes_nothing(
    owner: User, browser: Client, media: Path, data: bytes
) -> None:
    response = upload(browser, data, "Another")
    assert response.status_code == 400
    assert 'class="hl-error"' in response.content.decode()
    owner.refresh_from_db()
    assert (owner.name, bool(owner.avatar)) == ("Olga", False)
    assert not stored(media)


def test_a_name_that_is_refused_leaves_the_picture_as_it_was(owner: User, browser: Client) -> None:
    assert upload(browser, image(), " ").status_code == 400
    owner.refresh_from_db()
    assert (owner.name, bool(owner.avatar)) == ("Olga", False)


def test_a_form_that_is_far_too_long_is_not_read(owner: User, browser: Client) -> None:
    assert upload(browser, bytes(4 * 1024 * 1024)).status_code == 400
    assert patch(browser, avatar=SimpleUploadedFile("me.png", bytes(4 * 1024 * 1024))).status_code in (400, 413)


def test_a_name_in_html_is_shown_as_text(owner: User, browser: Client) -> None:
    browser.post("/accounts/profile/", {"name": "<b>O</b> ‮🦊"})
    page = browser.get("/accounts/profile/").content.decode()
    assert "<b>O" not in page
    assert "&lt;b&gt;O" in page


def test_nobody_else_has_a_profile_page(db: None) -> None:
    assert Client().get("/accounts/profile/").headers["Location"].startswith("/accounts/login/")


def test_a_form_from_another_site_changes_nothing(owner: User, signed_in: Callable[..., Client]) -> None:
    assert signed_in(owner, csrf=True).post("/accounts/profile/", {"name": "Eve"}).status_code == 403


@pytest.mark.parametrize(
    ("name", "letters"), [("Olga", "O"), ("ada maria lovelace", "AL"), (" ", "?"), ("🦊 x", "🦊X")]
)
def test_initials_stand_for_people_without_a_picture(name: str, letters: str) -> None:
    assert initials(name) == letters


# The picture ------------------------------------------------------------------------------------------------------


def test_a_picture_is_served_as_nothing_but_a_picture(owner: User, media: Path) -> None:
    set_avatar(owner, as_avatar(image()))
    response = Client().get(owner.avatar.url)
    assert response.status_code == 200
    assert response.content == stored(media)[0].read_bytes()
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("name", ["0" * 32 + ".webp", "../db.sqlite3", "%2e%2e/secret-key", "x.webp", ""])
def test_nothing_else_in_the_folder_is_served(db: None, name: str) -> None:
    assert Client().get(f"/media/avatars/{name}").status_code == 404


# REST -------------------------------------------------------------------------------------------------------------


def test_over_rest_a_picture_is_sent_as_a_file_and_taken_away_with_null(owner: User, browser: Client) -> None:
    me = patch(browser, name="Olga P.", avatar=SimpleUploadedFile("me.png", image())).json()
    assert me["name"] == "Olga P."
    assert browser.get(me["avatar"]).headers["Content-Type"] == "image/webp"
    assert call(browser, "PATCH", "/v1/me", {"name": "Olga"}).json()["avatar"] == me["avatar"]
    assert call(browser, "PATCH", "/v1/me", {"avatar": None}).json() == {**me, "name": "Olga", "avatar": None}


def test_over_rest_a_picture_that_cannot_be_taken_is_refused(owner: User, browser: Client) -> None:
    refused = patch(browser, avatar=SimpleUploadedFile("me.png", b"no picture"))
    assert assert_is_error(refused, 400, "bad_request")["field"] == "avatar"
    as_text = call(browser, "PATCH", "/v1/me", {"avatar": "https://example.com/me.png"})
    assert assert_is_error(as_text, 400, "bad_request")["field"] == "avatar"
