"""An invitation as people meet it: in a mail, on its page, through signing in and up; and as programs do, by REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any
from urllib.parse import quote

import pytest
from celery.exceptions import Retry
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from hanzo_live.protocol.errors import LiveError
from sessions import invitation_mail, tasks
from sessions.invitations import decline, invite, revoke
from sessions.models import Invitation, LiveSession, Member, User
from sessions.services import create_session, update_session
from tests.rest import assert_is_error, call

PASSWORD = "correct horse battery staple"
INVITE = "/v1/sessions/the-plan/invitations"
EVIL = '<script>alert("1")</script>\u202e'


@pytest.fixture
def page(live_session: LiveSession, owner: User) -> str:
    """The address of an open invitation's page."""
    return f"/invitations/{invite(live_session, owner, address=str)[1]}"


def invite_by_mail(client: Client, capture: Any, address: str = "grace@example.com", **body: Any) -> dict[str, Any]:
    with capture(execute=True):
        made = call(client, "POST", INVITE, {"email": address, **body})
    assert made.status_code == 201, made.content
    result: dict[str, Any] = made.json()
    return result


def link_in_mail() -> str:
    found = re.search(r"http://testserver(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def text_of(response: Any) -> str:
    content: str = response.content.decode()
    return content


# The mail ---------------------------------------------------------------------------------------------------------


def test_somebody_comes_from_a_mail_makes_an_account_and_is_in_the_session(
    live_session: LiveSession,
    owner: User,
    signed_in: Callable[..., Client],
    worker: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    made = invite_by_mail(signed_in(owner), django_capture_on_commit_callbacks, role="viewer")
    assert mail.outbox[0].to == ["grace@example.com"]
    assert mail.outbox[0].subject == "Olga invites you to “The plan”"
    link = link_in_mail()
    assert link == made["url"].removeprefix("http://testserver")
    html, kind = mail.outbox[0].alternatives[0]
    assert kind == "text/html"
    assert f'<a href="http://testserver{link}">' in str(html)
    assert call(signed_in(owner), "GET", INVITE).json()["results"][0]["mail"] == "sent"

    browser = Client()
    shown = text_of(browser.get(link))
    assert "Olga" in shown
    assert "The plan" in shown
    assert "<strong>viewer</strong>" in shown
    assert not Member.objects.filter(user__email="grace@example.com").exists()
    sign_up = re.search(r'href="(/accounts/signup/[^"]+)"', shown)
    assert sign_up
    form = browser.get(sign_up[1].replace("&amp;", "&"))
    hidden = re.search(r'name="next" value="([^"]+)"', text_of(form))
    assert hidden
    assert hidden[1] == link
    done = browser.post(
        "/accounts/signup/",
        {"name": "Grace", "email": "grace@example.com", "password1": PASSWORD, "next": hidden[1]},
    )
    assert done.headers["Location"] == link
    assert "Join the session" in text_of(browser.get(link))
    assert browser.post(link, {"answer": "accept"}).headers["Location"] == "/s/the-plan"
    assert Member.objects.get(user__email="grace@example.com").role == "viewer"
    # The link in the mail goes on to lead there.
    assert browser.get(link).headers["Location"] == "/s/the-plan"


def test_the_link_survives_signing_in(page: str, outsider: User) -> None:
    browser = Client()
    assert (
        browser.post(page, {"answer": "accept"}).headers["Location"] == f"/accounts/login/?next={quote(page, safe='')}"
    )
    done = browser.post("/accounts/login/", {"login": outsider.email, "password": PASSWORD, "next": page})
    assert done.headers["Location"] == page
    assert browser.post(page, {"answer": "accept"}).headers["Location"] == "/s/the-plan"


def test_what_people_typed_stays_text_in_mail_and_page(
    make_user: Callable[..., User],
    signed_in: Callable[..., Client],
    worker: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    host = make_user("Eve")
    host.name = f"{EVIL}\nBcc: x@example.com שלום 👩‍👩‍👧"[:120]
    host.save()
    create_session(host, title=f"{EVIL} \r\n title" + "x" * 150, slug="the-plan")
    invite_by_mail(signed_in(host), django_capture_on_commit_callbacks)
    message = mail.outbox[0]
    assert "\n" not in message.subject
    assert message.message()["Bcc"] is None
    assert "<script" not in str(message.alternatives[0][0])
    shown = text_of(Client().get(link_in_mail()))
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert" in shown


def test_a_mail_server_that_is_away_is_asked_again_and_later_given_up(
    live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation, token = invite(live_session, owner, address=str, email="grace@example.com")

    def fail(*_: Any, **__: Any) -> int:
        raise SMTPServerDisconnected("away")

    monkeypatch.setattr(EmailMultiAlternatives, "send", fail)
    task = tasks.send_invitation
    waits = []
    for tried in range(tasks.RETRIES):
        task.push_request(retries=tried, called_directly=False, is_eager=False)
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None, raising=False)
        try:
            with pytest.raises(Retry) as retry:
                task.run(str(invitation.pk), token)
        finally:
            task.pop_request()
        waits.append(retry.value.when)
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    invitation.refresh_from_db()
    assert invitation.mail == "queued"
    task.push_request(retries=tasks.RETRIES, called_directly=False)
    try:
        task.run(str(invitation.pk), token)
    finally:
        task.pop_request()
    invitation.refresh_from_db()
    assert invitation.mail == "failed"


def test_an_address_that_the_mail_server_refuses_is_not_tried_again(
    live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation, token = invite(live_session, owner, address=str, email="grace@example.com")

    def refuse(*_: Any, **__: Any) -> int:
        raise SMTPRecipientsRefused({"grace@example.com": (550, b"no such user")})

    monkeypatch.setattr(EmailMultiAlternatives, "send", refuse)
    tasks.send_invitation(str(invitation.pk), token)
    invitation.refresh_from_db()
    assert invitation.mail == "failed"


def test_a_mail_goes_out_once_and_not_for_what_was_taken_back(live_session: LiveSession, owner: User) -> None:
    first, token = invite(live_session, owner, address=str, email="grace@example.com")
    for _ in range(2):
        tasks.send_invitation(str(first.pk), token)
    assert len(mail.outbox) == 1
    second, token = invite(live_session, owner, address=str, email="ada@example.com")
    revoke(live_session, second.pk)
    tasks.send_invitation(str(second.pk), token)
    assert len(mail.outbox) == 1


def test_without_a_broker_the_inviter_sees_that_no_mail_went_out(
    live_session: LiveSession,
    owner: User,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(tasks.send_invitation, "apply_async", away)
    invite_by_mail(signed_in(owner), django_capture_on_commit_callbacks)
    assert call(signed_in(owner), "GET", INVITE).json()["results"][0]["mail"] == "failed"


def test_the_broker_is_told_no_more_of_the_link_than_it_needs(
    live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.send_invitation, "apply_async", lambda **options: sent.append(options))
    invitation, token = invite(live_session, owner, address=str, email="grace@example.com")
    invitation_mail.queue(invitation.pk, token)
    assert sent == [{"args": [str(invitation.pk), token], "argsrepr": tasks.LINK_HIDDEN, "retry": False}]


# The page ---------------------------------------------------------------------------------------------------------


def test_looking_changes_nothing_and_is_not_kept_by_caches(page: str, outsider: User) -> None:
    for client in (Client(), Client()):
        response = client.get(page)
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
    assert Invitation.objects.get().uses == 0


def test_an_answer_needs_the_csrf_token(page: str, outsider: User, signed_in: Callable[..., Client]) -> None:
    browser = signed_in(outsider, csrf=True)
    browser.get(page)
    assert browser.post(page, {"answer": "accept"}).status_code == 403
    token = browser.cookies["csrftoken"].value
    assert browser.post(page, {"answer": "accept", "csrfmiddlewaretoken": token}).status_code == 302
    assert signed_in(outsider).put(page).status_code == 405


def test_declining_needs_no_account(page: str) -> None:
    assert "You declined" in text_of(Client().post(page, {"answer": "decline"}))
    closed = Client().get(page)
    assert closed.status_code == 410
    assert "was declined" in text_of(closed)


def test_an_answer_that_is_none_shows_the_page_again(page: str) -> None:
    assert Client().post(page, {"answer": "perhaps"}).headers["Location"] == page


def test_a_member_is_shown_the_way(page: str, viewer: User, signed_in: Callable[..., Client]) -> None:
    browser = signed_in(viewer)
    shown = text_of(browser.get(page))
    assert "member already" in shown
    assert 'href="/s/the-plan"' in shown
    assert browser.post(page, {"answer": "accept"}).headers["Location"] == "/s/the-plan"
    assert Invitation.objects.get().uses == 0


def _used(invitation: Invitation) -> None:
    Invitation.objects.update(uses=1)


def _expired(invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))


def _revoked(invitation: Invitation) -> None:
    revoke(invitation.session, invitation.pk)


def _archived(invitation: Invitation) -> None:
    assert invitation.inviter
    update_session(invitation.session, invitation.inviter, archived=True)


@pytest.mark.parametrize(
    ("close", "words"),
    [
        (_used, "used already"),
        (_expired, "has expired"),
        (_revoked, "taken back"),
        (decline, "was declined"),
        (_archived, "was archived"),
    ],
)
def test_a_link_that_does_not_work_any_more_says_why_and_no_more(
    page: str, outsider: User, signed_in: Callable[..., Client], close: Callable[[Invitation], None], words: str
) -> None:
    close(Invitation.objects.get())
    for browser in (Client(), signed_in(outsider)):
        for response in (browser.get(page), browser.post(page, {"answer": "accept"})):
            assert response.status_code == 410
            assert words in text_of(response)
            assert "The plan" not in text_of(response)
            assert "Olga" not in text_of(response)
        body = assert_is_error(call(browser, "GET", f"/v1{page}"), 409, "conflict")
        assert "The plan" not in body["message"]
        assert_is_error(call(browser, "POST", f"/v1{page}/decline"), 409, "conflict")
    assert not Member.objects.filter(user=outsider).exists()


def test_a_wrong_link_says_nothing_and_trying_is_slowed_down(page: str) -> None:
    first = Client().get("/invitations/hzi_nothing")
    assert first.status_code == 404
    assert "does not exist" in text_of(first)
    for number in range(19):
        assert Client().get(f"/invitations/{number}").status_code == 404
    for response in (Client().get(page), call(Client(), "GET", f"/v1{page}")):
        assert response.status_code == 429
    assert "Too many wrong links" in text_of(Client().get(page))
    assert Client(REMOTE_ADDR="203.0.113.9").get(page).status_code == 200


# Signing up where that needs an invitation ------------------------------------------------------------------------


def sign_up(browser: Client, name: str, next: str) -> Any:
    form = {"name": name, "email": f"{name.lower()}@example.com", "password1": PASSWORD, "next": next}
    return browser.post("/accounts/signup/", form)


def test_who_is_invited_may_sign_up_and_has_joined_then(page: str, settings: Settings) -> None:
    settings.SIGNUP = "invite"
    assert "Make an account" in text_of(Client().get(page))
    assert 'name="password1"' in text_of(Client().get(f"/accounts/signup/?next={page}"))
    browser = Client()
    assert sign_up(browser, "Grace", page).headers["Location"] == page
    assert browser.get(page).headers["Location"] == "/s/the-plan"
    assert Member.objects.get(user__email="grace@example.com").role == "editor"
    # One use, one account.
    assert "Ask one of them" in text_of(sign_up(Client(), "Ada", page))
    assert not User.objects.filter(email="ada@example.com").exists()


@pytest.mark.parametrize("next", ["", "/", "/invitations/hzi_nothing", "https://evil.example/invitations/x"])
def test_who_is_not_invited_may_not(page: str, settings: Settings, next: str) -> None:
    settings.SIGNUP = "invite"
    assert "Ask one of them" in text_of(sign_up(Client(), "Ada", next))
    assert not User.objects.filter(email="ada@example.com").exists()


def test_of_two_who_sign_up_with_the_last_use_one_has_an_account(
    page: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessions import accounts

    settings.SIGNUP = "invite"
    accept = accounts.invitations.accept

    def another_was_quicker(invitation: Invitation, user: User) -> Any:
        _used(invitation)
        return accept(invitation, user)

    monkeypatch.setattr(accounts.invitations, "accept", another_was_quicker)
    assert sign_up(Client(), "Grace", page).headers["Location"] == page
    assert not User.objects.filter(email="grace@example.com").exists()


def test_where_sign_up_is_closed_an_invitation_does_not_open_it(page: str, settings: Settings) -> None:
    settings.SIGNUP = "closed"
    assert "Make an account" not in text_of(Client().get(page))
    assert "Ask one of them" in text_of(sign_up(Client(), "Grace", page))
    assert not User.objects.filter(email="grace@example.com").exists()


# REST -------------------------------------------------------------------------------------------------------------


def test_an_invitation_over_rest_from_beginning_to_end(
    live_session: LiveSession, owner: User, outsider: User, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(owner)
    made = call(client, "POST", INVITE, {"role": "viewer", "max_uses": 2, "expires_in": 600}).json()
    token = made.pop("token")
    assert made.pop("url") == f"http://testserver/invitations/{token}"
    assert (made["email"], made["role"], made["max_uses"], made["uses"], made["mail"]) == (None, "viewer", 2, 0, None)
    assert call(client, "GET", INVITE).json()["results"] == [made]
    preview = call(Client(), "GET", f"/v1/invitations/{token}").json()
    assert preview == {
        "session": {"id": None, "title": "The plan"},
        "inviter": {"id": str(owner.pk), "name": "Olga", "avatar": None},
        "role": "viewer",
        "member": False,
        "expires_at": made["expires_at"],
    }
    joined = call(signed_in(outsider), "POST", f"/v1/invitations/{token}/accept")
    assert joined.json() == {"session": str(live_session.pk), "role": "viewer", "log": live_session.log}
    assert call(signed_in(outsider), "GET", f"/v1/invitations/{token}").json()["session"]["id"] == str(live_session.pk)
    assert call(client, "DELETE", f"{INVITE}/{made['id']}").status_code == 204
    assert call(client, "GET", INVITE).json()["results"] == []
    for nothing in ("x", "11111111-2222-3333-4444-555555555555"):
        assert_is_error(call(client, "DELETE", f"{INVITE}/{nothing}"), 404, "not_found")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("role", ["owner", "", None, 7]),
        ("email", ["x", 7, "a" * 300 + "@example.com", "x" * 900_000, "<b>@example.com"]),
        ("expires_in", [59, 10**12, "soon", 1.5]),
        ("max_uses", [0, 10_001, "many"]),
    ],
)
def test_it_refuses_over_rest_what_is_no_invitation(
    live_session: LiveSession, owner: User, signed_in: Callable[..., Client], field: str, values: list[Any]
) -> None:
    client = signed_in(owner)
    for value in values:
        assert assert_is_error(call(client, "POST", INVITE, {field: value}), 400, "bad_request")["field"] == field
    assert not Invitation.objects.exists()


def test_the_verbs_refuse_what_they_are_told_to(live_session: LiveSession, owner: User) -> None:
    with pytest.raises(LiveError):
        invite(live_session, owner, address=str, role="owner")
