"""API tokens on their page: made, shown once, listed, revoked."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from sessions.authentication import MAX_TOKENS, TOKEN_PREFIX, create_token
from sessions.models import ApiToken, TokenScope, User
from tests.rest import call

PAGE = "/accounts/tokens/"


@pytest.fixture
def browser(owner: User, signed_in: Callable[..., Client]) -> Client:
    return signed_in(owner)


def make(browser: Client, name: str = "laptop", scope: str = "write") -> str:
    page = browser.post(PAGE, {"name": name, "scope": scope}).content.decode()
    found = re.search(rf"<code>({TOKEN_PREFIX}\S+)</code>", page)
    assert found
    return found[1]


def test_a_token_is_made_works_and_is_never_shown_again(owner: User, browser: Client) -> None:
    raw = make(browser)
    assert call(Client(), "GET", "/v1/me", Authorization=f"Bearer {raw}").json()["id"] == str(owner.pk)
    again = browser.get(PAGE)
    assert raw not in again.content.decode()
    assert ApiToken.objects.get().digest not in again.content.decode()
    assert "no-store" in again.headers["Cache-Control"]


def test_the_list_says_what_each_may_and_when_it_was_used(owner: User, browser: Client) -> None:
    assert "You have no tokens" in browser.get(PAGE).content.decode()
    raw = make(browser, "watcher", "read")
    page = browser.get(PAGE).content.decode()
    assert '<span class="tag">Read</span>' in page
    assert "not used yet" in page
    call(Client(), "GET", "/v1/me", Authorization=f"Bearer {raw}")
    assert "last used on" in browser.get(PAGE).content.decode()
    assert call(Client(), "POST", "/v1/sessions", {}, Authorization=f"Bearer {raw}").status_code == 403


def test_a_revoked_token_is_gone_from_the_list_and_works_no_more(owner: User, browser: Client) -> None:
    raw = make(browser)
    token = ApiToken.objects.get()
    assert "is revoked" in browser.post(PAGE, {"revoke": str(token.pk)}, follow=True).content.decode()
    assert "You have no tokens" in browser.get(PAGE).content.decode()
    assert call(Client(), "GET", "/v1/me", Authorization=f"Bearer {raw}").status_code == 401
    assert "revoked already" in browser.post(PAGE, {"revoke": str(token.pk)}, follow=True).content.decode()


@pytest.mark.parametrize("which", ["", "no id", "11111111-2222-3333-4444-555555555555"])
def test_what_is_no_token_of_ones_own_is_not_revoked(browser: Client, outsider: User, which: str) -> None:
    theirs, _ = create_token(outsider, "theirs")
    for pk in (which, str(theirs.pk)):
        browser.post(PAGE, {"revoke": pk})
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 121}, {"name": "a\0"}, {"name": "x", "scope": "admin"}, {}]
)
def test_a_form_that_lacks_something_makes_nothing(browser: Client, fields: dict[str, str]) -> None:
    response = browser.post(PAGE, fields)
    assert response.status_code == 400
    assert 'class="hl-error"' in response.content.decode()
    assert not ApiToken.objects.exists()


def test_above_the_limit_the_page_says_what_to_do(owner: User, browser: Client) -> None:
    rows = [ApiToken(user=owner, name="x", digest=str(number), scope=TokenScope.READ) for number in range(MAX_TOKENS)]
    ApiToken.objects.bulk_create(rows)
    response = browser.post(PAGE, {"name": "one more", "scope": "read"})
    assert response.status_code == 400
    assert "Revoke one" in response.content.decode()


def test_a_name_in_html_is_shown_as_text(browser: Client) -> None:
    make(browser, "<b>x</b>")
    assert "<b>x" not in browser.get(PAGE).content.decode()


def test_only_who_is_signed_in_has_the_page_and_only_from_here(owner: User, signed_in: Callable[..., Client]) -> None:
    assert Client().get(PAGE).headers["Location"].startswith("/accounts/login/")
    assert signed_in(owner, csrf=True).post(PAGE, {"name": "x", "scope": "read"}).status_code == 403
