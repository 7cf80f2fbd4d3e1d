"""An invitation as somebody gets it: the mail is read, its link followed, an account made, and there is the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cli.processes import until
from tests.e2e.person import PASSWORD, Person
from tests.e2e.stack import Stack, running
from tests.integration.letters import newest_to, text_of
from tests.sessions.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    provider.add_key("one")
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def letter_box(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def posting(tmp_path_factory: pytest.TempPathFactory, provider: Provider, letter_box: Path) -> Iterator[Stack]:
    """A server that keeps its mail as files, takes people in by invitation, and knows an issuer."""
    iam = {"IAM_ISSUERS": provider.issuer, "IAM_CLIENT_ID": CLIENT_ID, "IAM_CLIENT_SECRET": CLIENT_SECRET}
    place = tmp_path_factory.mktemp("posting")
    with running(place, EMAIL_FOLDER=str(letter_box), SIGNUP="invite", **iam) as stack:
        yield stack


@pytest.fixture
def host(posting: Stack, arrive: Callable[..., Person]) -> Person:
    """The admin that the start page's link makes, or who has an account by now."""
    person = arrive("Olga", new=True, url=posting.url)
    link = next(word for word in posting.serve.text.split() if "/setup/" in word)
    person.expect_problem("404")
    person.page.goto(link)
    if person.page.get_by_label("Name").count():
        person.page.get_by_label("Name").fill(person.name)
        person.page.get_by_label("E-mail").fill(person.email)
        person.page.get_by_label("Password").fill(PASSWORD)
        person.page.get_by_role("button", name="Make the account").click()
    else:
        person.page.goto("/accounts/login/")
        person.page.get_by_label("E-mail").fill(person.email)
        person.page.get_by_label("Password").fill(PASSWORD)
        person.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(person.page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()
    return person


def link_to(host: Person, letter_box: Path, title: str, address: str, part: str) -> str:
    """Invites the address, and takes the link out of that part of the mail."""
    session = host.make_session(title, "script-echo")
    host.rest("POST", f"sessions/{session['id']}/invitations", {"email": address, "role": "editor"}, 201)
    letter = until(lambda: newest_to(letter_box, address), "the mail")
    assert letter is not None
    assert title in str(letter["Subject"])
    pattern = r'<a href="([^"]+)"' if part == "html" else r"^(http\S+)$"
    found = re.search(pattern, text_of(letter, part), re.MULTILINE)
    assert found, text_of(letter, part)
    return found[1]


@pytest.mark.parametrize("part", ["plain", "html"])
def test_who_is_mailed_an_invitation_makes_an_account_and_lands_in_the_session(
    posting: Stack, host: Person, letter_box: Path, arrive: Callable[..., Person], part: str
) -> None:
    title = f"Invited by {part}"
    nina = arrive(f"Nina-{part}", new=True, url=posting.url)
    page = nina.page
    page.goto(link_to(host, letter_box, title, nina.email, part))
    expect(page.get_by_role("heading", name=f"Join “{title}”")).to_be_visible()
    expect(page.get_by_text("Olga invites you to this session as editor")).to_be_visible()
    nina.photograph(f"invitation-{part}")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Name").fill(nina.name)
    page.get_by_label("E-mail").fill(nina.email)
    page.get_by_label("Password").fill(PASSWORD)
    nina.photograph("invitation-sign-up")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    nina.sees_live()
    nina.ask("Hello from Nina")
    nina.sees_end()


def test_who_signs_in_elsewhere_comes_back_to_the_invitation(
    posting: Stack, host: Person, letter_box: Path, provider: Provider, arrive: Callable[..., Person]
) -> None:
    provider.claims = {"sub": "ines", "email": "ines@example.com"}
    ines = arrive("Ines", new=True, url=posting.url)
    page = ines.page
    page.goto(link_to(host, letter_box, "By way of Hanzo", ines.email, "plain"))
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("button", name="Continue with Hanzo")).to_be_visible()
    ines.photograph("sign-in-with-hanzo")
    page.get_by_role("button", name="Continue with Hanzo").click()
    expect(page.get_by_role("heading", name="The provider")).to_be_visible()
    page.locator("#no").click()
    expect(page.get_by_role("heading", name="You did not sign in")).to_be_visible()
    ines.photograph("sign-in-cancelled")
    page.get_by_role("link", name="To the sign-in").click()
    page.get_by_role("button", name="Continue with Hanzo").click()
    page.locator("#yes").click()
    expect(page.get_by_role("heading", name="By way of Hanzo")).to_be_visible()
    ines.sees_live()
    page.goto("/accounts/connections/")
    expect(page.get_by_text("You can sign in as Ines of hanzo")).to_be_visible()
    ines.photograph("connections")
    # Nobody new comes in without an invitation.
    provider.claims = {"sub": "stranger", "email": "stranger@example.com"}
    stranger = arrive("Stranger", new=True, url=posting.url)
    stranger.page.goto("/accounts/login/")
    stranger.page.get_by_role("button", name="Continue with Hanzo").click()
    stranger.page.locator("#yes").click()
    expect(stranger.page.get_by_role("heading", name="Sign-up is closed")).to_be_visible()
