"""Mail over SMTP: a whole server, and a real mail server that is not always there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.cli.processes import until
from tests.integration.letters import text_of
from tests.integration.stack import PASSWORD, Stack
from tests.smtp import PASSWORD as MAIL_PASSWORD
from tests.smtp import USER, MailServer, certificate

pytestmark = pytest.mark.timeout(180)

HOUSEKEEPER = "housekeeper@"


@pytest.fixture(scope="module")
def mail_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MailServer, str]]:
    """With TLS and an account, and the certificate to trust it by."""
    context, shown = certificate(tmp_path_factory.mktemp("certificate"))
    server = MailServer(tls=context, login=True)
    server.start()
    yield server, str(shown)
    server.stop()


@pytest.fixture(scope="module")
def mailing(start: Callable[..., Stack], mail_server: tuple[MailServer, str]) -> Stack:
    server, shown = mail_server
    return start(
        people=("Olga",),
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(server.port),
        EMAIL_USER=USER,
        EMAIL_PASSWORD=MAIL_PASSWORD,
        EMAIL_FROM="Live <live@example.com>",
        SSL_CERT_FILE=shown,
    )


def invite(stack: Stack, address: str) -> str:
    """The id of a session to which somebody is invited by mail."""
    with stack.rest(stack.people["Olga"]) as rest:
        session = str(rest.post("/v1/sessions", json={"title": "The plan"}).json()["id"])
        made = rest.post(f"/v1/sessions/{session}/invitations", json={"email": address, "role": "viewer"})
        assert made.status_code == 201, made.text
    return session


def mail_of(stack: Stack, session: str) -> str:
    with stack.rest(stack.people["Olga"]) as rest:
        return str(rest.get(f"/v1/sessions/{session}/invitations").json()["results"][0]["mail"])


def test_somebody_new_confirms_the_address_by_mail_and_then_comes_in(
    mailing: Stack, mail_server: tuple[MailServer, str]
) -> None:
    server, _ = mail_server
    address = "nina@example.com"
    with closing(mailing.browser()) as browser:
        browser.get("/accounts/signup/")

        def send(path: str, **form: str) -> str:
            answer = browser.post(path, data={**form, "csrfmiddlewaretoken": browser.cookies["csrftoken"]})
            assert answer.status_code == 302, answer.text
            return str(answer.headers["Location"])

        assert send("/accounts/signup/", name="Nina", email=address, password1=PASSWORD) == "/accounts/confirm-email/"
        (letter,) = until(lambda: server.to(address), "the mail")
        assert str(letter["From"]) == "Live <live@example.com>"
        link = re.search(rf"{mailing.url}(/accounts/confirm-email/\S+)", text_of(letter))
        assert link, text_of(letter)
        browser.get(link[1])
        send(link[1])
        send("/accounts/login/", login=address, password=PASSWORD)
        assert browser.get("/v1/me").json()["email"] == address


def test_an_invitation_waits_for_a_mail_server_that_is_away_also_over_a_restart(
    mailing: Stack, mail_server: tuple[MailServer, str]
) -> None:
    server, _ = mail_server
    server.stop()
    try:
        session = invite(mailing, "later@example.com")
        waiting = "hanzo-live:celery:unacked"
        with mailing.redis() as client:
            # Tried once, and held by the housekeeper until its next try.
            until(lambda: client.hlen(waiting) == 1, "a try has failed")
            before = mailing.serve.child(HOUSEKEEPER)
            assert before is not None
            os.kill(before, signal.SIGTERM)
            until(lambda: mailing.serve.child(HOUSEKEEPER) not in (None, before), "another housekeeper")
        assert mail_of(mailing, session) == "queued"
        assert server.to("later@example.com") == []
    finally:
        server.start()
    (letter,) = until(lambda: server.to("later@example.com"), "the mail", 90)
    assert f"{mailing.url}/invitations/hzi_" in text_of(letter)
    assert f"{mailing.url}/invitations/hzi_" in text_of(letter, "html")
    until(lambda: mail_of(mailing, session) == "sent", "it counts as sent")


def test_a_forgotten_password_does_not_wait_for_the_mail_server(
    mailing: Stack, mail_server: tuple[MailServer, str]
) -> None:
    server, _ = mail_server
    server.stop()
    try:
        with closing(mailing.browser()) as browser:
            browser.get("/accounts/password/reset/")
            form = {"email": mailing.people["Olga"].email, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            asked = browser.post("/accounts/password/reset/", data=form)
            assert asked.headers["Location"] == "/accounts/password/reset/done/"
    finally:
        server.start()
    (letter,) = until(lambda: server.to(mailing.people["Olga"].email), "the mail", 90)
    assert "/accounts/password/reset/key/" in text_of(letter)
    logs = "".join(path.read_text() for path in (mailing.serve.data / "logs").iterdir())
    link = re.search(r"/accounts/password/reset/key/(\S+)/", text_of(letter))
    assert link
    assert link[1] not in logs


def test_an_address_that_the_mail_server_refuses_for_good_is_not_tried_again(
    mailing: Stack, mail_server: tuple[MailServer, str]
) -> None:
    server, _ = mail_server
    server.refusal = "550 No such user here"
    try:
        session = invite(mailing, "nowhere@example.com")
        until(lambda: mail_of(mailing, session) == "failed", "it counts as failed")
    finally:
        server.refusal = None
    assert server.to("nowhere@example.com") == []
