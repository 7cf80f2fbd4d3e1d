"""What people call themselves and their things, when they mean no good: on every path that takes a name or a title."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from sessions.accounts import new_setup_token
from sessions.models import User
from sessions.services import create_session
from sessions.text import is_storable, one_line
from sessions.titles import UNTITLED
from tests.rest import call

PASSWORD = "correct horse battery staple"

# As sent, and as kept; None where it is refused.
NAMES: dict[str, tuple[str, str | None]] = {
    "html": ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    "right to left": ("أولغا שלום", "أولغا שלום"),
    "turned around": ("Olga\u202egpj.exe\u202c", "Olgagpj.exe"),
    "isolates and marks": ("\u2066Ol\u200fga\u2069 \u061cx", "Olga x"),
    "emoji": ("👩‍👩‍👧 Ines 🇵🇹 👍🏽", "👩‍👩‍👧 Ines 🇵🇹 👍🏽"),
    "joined letters": ("می‌خواهم", "می‌خواهم"),
    "several lines": ("Olga\r\nBcc: all@example.com\u2028x", "Olga Bcc: all@example.com x"),
    "accents of their own": ("Zoe\u0308", "Zoe\u0308"),
    "nothing that shows": ("\u200b\u200d\ufeff\u2060", None),
    "letters that do not show": ("\u3164 \u2800\u115f", None),
    "an accent alone": ("\u0301", None),
    "spaces": (" \u00a0\u3000", None),
    "NUL": ("Ol\0ga", None),
    "a megabyte": ("x" * 1_000_000, None),
    "one too many": ("x" * 121, None),
}

sent_and_kept = pytest.mark.parametrize(("sent", "kept"), NAMES.values(), ids=NAMES.keys())


@pytest.fixture
def open_to_all(settings: Settings) -> None:
    settings.SIGNUP = "open"


@sent_and_kept
def test_a_name_at_sign_up(db: None, open_to_all: None, sent: str, kept: str | None) -> None:
    form = {"name": sent, "email": "olga@example.com", "password1": PASSWORD}
    answer = Client().post("/accounts/signup/", form)
    assert answer.status_code == (302 if kept else 200)
    assert [user.name for user in User.objects.all()] == ([kept] if kept else [])


@sent_and_kept
def test_the_name_of_the_first_admin(db: None, sent: str, kept: str | None) -> None:
    form = {"name": sent, "email": "olga@example.com", "password": PASSWORD}
    answer = Client().post(f"/setup/{new_setup_token()}", form)
    assert answer.status_code == (302 if kept else 400)
    assert [user.name for user in User.objects.all()] == ([kept] if kept else [])


@sent_and_kept
def test_a_name_in_the_profile(owner: User, signed_in: Callable[[User], Client], sent: str, kept: str | None) -> None:
    answer = signed_in(owner).post("/accounts/profile/", {"name": sent})
    assert answer.status_code == (302 if kept else 400)
    owner.refresh_from_db()
    assert owner.name == (kept or "Olga")


@sent_and_kept
def test_a_name_over_rest(owner: User, signed_in: Callable[[User], Client], sent: str, kept: str | None) -> None:
    answer = call(signed_in(owner), "PATCH", "/v1/me", {"name": sent})
    assert answer.status_code == (200 if kept else 400), answer.content
    owner.refresh_from_db()
    assert owner.name == (kept or "Olga")


@sent_and_kept
def test_the_name_of_a_token_on_the_page_and_over_rest(
    owner: User, signed_in: Callable[[User], Client], sent: str, kept: str | None
) -> None:
    browser = signed_in(owner)
    browser.post("/accounts/tokens/", {"name": sent, "scope": "read"})
    call(browser, "POST", "/v1/tokens", {"name": sent, "scope": "read"})
    assert [token.name for token in owner.api_tokens.all()] == ([kept, kept] if kept else [])


@pytest.mark.parametrize(("sent", "kept"), [NAMES[each] for each in NAMES if each != "one too many"])
def test_a_sessions_title(owner: User, signed_in: Callable[[User], Client], sent: str, kept: str | None) -> None:
    browser = signed_in(owner)
    made = call(browser, "POST", "/v1/sessions", {"title": sent})
    changed = call(browser, "PATCH", f"/v1/sessions/{create_session(owner, title='Before').pk}", {"title": sent})
    if made.status_code == 400:
        assert kept is None
        assert changed.status_code == 400
    else:
        assert made.json()["title"] == changed.json()["title"] == (kept or UNTITLED)


@pytest.mark.parametrize(
    "address", ["olga@exa\u202emple.com", "ol\u202ega@example.com", "olga@example.com\r\nBcc: x@x.xx"]
)
def test_an_address_holds_no_marks_of_direction_and_no_second_line(
    db: None, open_to_all: None, owner: User, signed_in: Callable[[User], Client], address: str
) -> None:
    Client().post("/accounts/signup/", {"name": "Olga", "email": address, "password1": PASSWORD})
    signed_in(owner).post("/accounts/email/", {"action_add": "", "email": address})
    assert [user.email for user in User.objects.all()] == ["olga@example.com"]
    session = create_session(owner)
    invited = call(signed_in(owner), "POST", f"/v1/sessions/{session.pk}/invitations", {"email": address})
    assert invited.status_code == 400


def test_a_name_is_shown_as_text_on_every_page(owner: User, signed_in: Callable[[User], Client]) -> None:
    browser = signed_in(owner)
    evil = "<script>alert(1)</script>"
    call(browser, "PATCH", "/v1/me", {"name": evil})
    call(browser, "POST", "/v1/tokens", {"name": evil, "scope": "read"})
    session = call(browser, "POST", "/v1/sessions", {"title": evil}).json()
    invitation = call(browser, "POST", f"/v1/sessions/{session['id']}/invitations", {}).json()
    invited = Client().get(f"/invitations/{invitation['token']}").content.decode()
    assert invited.count(html.escape(evil)) == 2
    pages = [invited, *(browser.get(f"/accounts/{page}/").content.decode() for page in ("profile", "tokens", "logout"))]
    for page in pages:
        assert html.escape(evil) in page
        assert evil not in page


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_one_line_is_stable_and_can_be_stored(text: str) -> None:
    line = one_line(text)
    assert one_line(line) == line
    assert is_storable(line)
    assert line == line.strip()
    assert not set(line) & set("\n\r\t\u2028\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f")
