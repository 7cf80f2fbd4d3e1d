"""What the panel's actions do to rows, and what is announced of it. Open sockets are `tests/integration`'s."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from sessions import endings
from sessions.authentication import create_token, identity_of_token
from sessions.invitations import Standing, invite, standing_of
from sessions.models import AuditEntry, LiveSession, Member, OutboxRow, Role, User
from sessions.services import post_message
from streaming import queueing
from streaming.models import Stream, StreamStatus
from tests.admin.conftest import page_text
from tests.conftest import PASSWORD

NEW_PASSWORD = "another battery staple"


def do(client: Client, row: Any, action: str, **data: Any) -> str:
    """Does it from the row's page; the text of the page that is shown then."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{action}", args=[row.pk])
    return page_text(client.post(address, {"confirmed": "yes", **data}, follow=True))


def announced(session: LiveSession) -> list[tuple[str, dict[str, Any]]]:
    return [(row.type, row.body) for row in OutboxRow.objects.filter(log=session.log).order_by("pk")]


@pytest.fixture
def ended() -> Iterator[list[dict[str, Any]]]:
    """What was said of credentials that ended, as those who hold sockets hear it."""
    heard: list[dict[str, Any]] = []

    def hear(sender: Any, signal: Any, **about: Any) -> None:
        heard.append(about)

    endings.credential_ended.connect(hear)
    yield heard
    endings.credential_ended.disconnect(hear)


# Sessions ---------------------------------------------------------------------------------------------------------


def ask(session: LiveSession, user: User, status: StreamStatus) -> Stream:
    stream = Stream(session=session, user=user, log=session.log, request={"options": {}}, status=status)
    posted = post_message(session.pk, user, "what?", reply_stream=stream.pk)
    assert posted.reply is not None
    stream.message = posted.reply.pk
    stream.save()
    return stream


def test_ending_a_session_stops_its_streams_and_archives_it(
    admin: Client, ada: User, live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(queueing, "send", sent.append)
    running = ask(live_session, owner, StreamStatus.RUNNING)
    waiting = [ask(live_session, owner, StreamStatus.QUEUED) for _ in range(2)]
    assert "Ended." in do(admin, live_session, "end")
    live_session.refresh_from_db()
    assert live_session.archived_at is not None
    running.refresh_from_db()
    assert running.stop_requested_at is not None
    assert running.stopped_by == ada.pk
    for stream in waiting:
        stream.refresh_from_db()
        assert stream.status == StreamStatus.STOPPED
    assert sent == [], "none of them is the next"
    events = [type for type, _ in announced(live_session)]
    # Each of those that waited, and its prompt, which the model is not told any more.
    assert events[-5:] == [*["complete", "message"] * 2, "session"]
    assert announced(live_session)[-1][1]["session"]["archived"] is True
    assert "ended already" in do(admin, live_session, "end")
    assert "Open again." in do(admin, live_session, "reopen")
    live_session.refresh_from_db()
    assert live_session.archived_at is None


def test_deleting_a_session_tells_whoever_watches_it(
    admin: Client, live_session: LiveSession, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[tuple[str, str]] = []

    def hear(sender: Any, signal: Any, log: str, reason: str) -> None:
        heard.append((log, reason))

    endings.session_ended.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        assert "Deleted." in do(admin, live_session, "delete")
    endings.session_ended.disconnect(hear)
    assert heard == [(live_session.log, "deleted")]
    assert not LiveSession.objects.exists()


def test_a_queued_stream_is_over_at_once_and_its_end_says_who_stopped_it(
    admin: Client, ada: User, live_session: LiveSession, owner: User
) -> None:
    stream = ask(live_session, owner, StreamStatus.QUEUED)
    assert "Stopped." in do(admin, stream, "stop")
    stream.refresh_from_db()
    assert stream.status == StreamStatus.STOPPED
    type, body = announced(live_session)[-2]
    assert (type, body["finish_reason"], body["stopped_by"]["name"]) == ("complete", "stopped", "Ada")
    assert "over already" in do(admin, stream, "stop")


# Members, invitations, tokens -------------------------------------------------------------------------------------


def test_removing_a_member_is_announced_as_by_an_owner(admin: Client, live_session: LiveSession, viewer: User) -> None:
    assert "Removed." in do(admin, Member.objects.get(user=viewer), "remove")
    assert not Member.objects.filter(user=viewer).exists()
    type, body = announced(live_session)[-1]
    assert (type, body["action"], body["user"]["name"]) == ("member", "removed", "Vera")


def test_a_changed_role_is_announced_and_the_last_owner_stays(
    admin: Client, live_session: LiveSession, owner: User, viewer: User
) -> None:
    assert "The role is changed." in do(admin, Member.objects.get(user=viewer), "role", role="editor")
    assert Member.objects.get(user=viewer).role == Role.EDITOR
    assert announced(live_session)[-1][1]["role"] == "editor"
    last = Member.objects.get(user=owner)
    for action, data in (("role", {"role": "viewer"}), ("remove", {})):
        assert "A session needs an owner" in do(admin, last, action, **data)
    assert Member.objects.get(user=owner).role == Role.OWNER
    assert "Select a valid choice" in do(admin, last, "role", role="king")


def test_a_revoked_invitation_and_a_revoked_token_are_good_for_nothing(
    admin: Client, live_session: LiveSession, owner: User
) -> None:
    invitation, _ = invite(live_session, owner, address=str)
    token, raw = create_token(owner, "ci")
    for row in (invitation, token):
        assert "Revoked." in do(admin, row, "revoke")
        assert "revoked already" in do(admin, row, "revoke")
        row.refresh_from_db()
    assert standing_of(invitation) == Standing.REVOKED
    with pytest.raises(Exception, match="not valid"):
        identity_of_token(raw)


def test_what_cannot_be_done_to_some_rows_is_said_and_done_to_the_others(
    admin: Client, live_session: LiveSession, owner: User, viewer: User
) -> None:
    chosen = [Member.objects.get(user=user).pk for user in (owner, viewer)]
    data = {"action": "remove", "_selected_action": chosen, "confirmed": "yes"}
    page = page_text(admin.post(reverse("admin:live_sessions_member_changelist"), data, follow=True))
    assert "Removed. (1 of 2)" in page
    assert "Olga (owner): A session needs an owner" in page
    assert Member.objects.filter(user=owner).exists()


def test_a_made_up_row_or_action_is_not_there(admin: Client, live_session: LiveSession) -> None:
    listed = reverse("admin:live_sessions_livesession_changelist")
    assert admin.post(listed, {"action": "end", "_selected_action": "no id"}).status_code == 404
    assert admin.post(f"{listed}no-id/end/", {"confirmed": "yes"}).status_code == 404
    admin.post(listed, {"action": "made-up", "_selected_action": str(live_session.pk), "confirmed": "yes"})
    live_session.refresh_from_db()
    assert live_session.archived_at is None


def test_an_action_is_asked_for_with_a_forms_token(ada: User, live_session: LiveSession, signed_in: Any) -> None:
    client = signed_in(ada, csrf=True)
    address = reverse("admin:live_sessions_livesession_end", args=[live_session.pk])
    assert client.post(address, {"confirmed": "yes"}).status_code == 403


# Users ------------------------------------------------------------------------------------------------------------


def test_a_user_who_is_switched_off_is_out_everywhere(
    admin: Client,
    owner: User,
    signed_in: Callable[..., Client],
    ended: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    _, raw = create_token(owner, "ci")
    browser = signed_in(owner)
    with django_capture_on_commit_callbacks(execute=True):
        assert "Switched off." in do(admin, owner, "deactivate")
    assert [each["user_id"] for each in ended] == [owner.pk]
    assert browser.get("/v1/me").status_code == 401
    with pytest.raises(Exception, match="not valid"):
        identity_of_token(raw)
    assert not Client().login(email=owner.email, password=PASSWORD)
    assert "Switched on." in do(admin, owner, "activate")
    assert identity_of_token(raw).user == owner


def test_signing_out_everywhere_ends_browsers_and_sockets_and_leaves_tokens(
    admin: Client,
    owner: User,
    signed_in: Callable[..., Client],
    ended: list[dict[str, Any]],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    _, raw = create_token(owner, "ci")
    browsers = [signed_in(owner), signed_in(owner)]
    with django_capture_on_commit_callbacks(execute=True):
        assert "Signed out everywhere." in do(admin, owner, "sign-out")
    assert ended == [{"user_id": owner.pk, "token_id": None, "session_key": None}]
    assert [browser.get("/v1/me").status_code for browser in browsers] == [401, 401]
    assert identity_of_token(raw).user == owner
    again = Client()
    assert again.login(email=owner.email, password=PASSWORD)
    assert again.get("/v1/me").status_code == 200


def test_a_user_who_is_made_here_signs_in(admin: Client, settings: Any) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    form = {"name": "Nina", "email": "Nina@Example.com", "password": NEW_PASSWORD}
    made = admin.post(reverse("admin:live_sessions_user_add"), form, follow=True)
    user = User.objects.get(email="nina@example.com")
    assert str(user.pk) in page_text(made)
    assert user.check_password(NEW_PASSWORD)
    assert EmailAddress.objects.filter(user=user, verified=True, primary=True).exists()
    browser = Client()
    browser.post("/accounts/login/", {"login": "nina@example.com", "password": NEW_PASSWORD})
    assert browser.get("/v1/me").json()["name"] == "Nina"


def test_a_user_who_is_made_without_a_password_chooses_one(admin: Client, worker: None) -> None:
    admin.post(reverse("admin:live_sessions_user_add"), {"name": "Nina", "email": "nina@example.com"})
    Client().post("/accounts/password/reset/", {"email": "nina@example.com"})
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "email": "nina@example.com"},
        {"name": "Nina", "email": "no address"},
        {"name": "Nina", "email": "OLGA@example.com"},
        {"name": "Nina", "email": "nina@example.com", "password": "short"},
        {"name": "x" * 121, "email": "nina@example.com"},
        {"name": "a\0", "email": "nina@example.com"},
    ],
)
def test_a_user_who_lacks_something_is_not_made(admin: Client, owner: User, form: dict[str, str]) -> None:
    response = admin.post(reverse("admin:live_sessions_user_add"), form)
    assert response.status_code == 200
    assert "Please correct the error" in page_text(response)
    assert User.objects.count() == 2


def test_a_changed_address_is_the_one_to_sign_in_with(admin: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, primary=True, verified=True)
    address = reverse("admin:live_sessions_user_change", args=[owner.pk])
    assert admin.post(address, {"name": "Olga P.", "email": "New@example.com"}).status_code == 302
    owner.refresh_from_db()
    assert (owner.name, owner.email) == ("Olga P.", "new@example.com")
    assert list(EmailAddress.objects.values_list("user", "email", "verified")) == [(owner.pk, owner.email, True)]
    entry = AuditEntry.objects.get(action="user.change")
    assert entry.details == {"email": ["olga@example.com", "new@example.com"], "name": ["Olga", "Olga P."]}


def test_a_set_password_is_held_to_the_rules_and_is_in_no_log(admin: Client, owner: User) -> None:
    assert "too short" in do(admin, owner, "password", password="short")
    assert "The password is set." in do(admin, owner, "password", password=NEW_PASSWORD)
    owner.refresh_from_db()
    assert owner.check_password(NEW_PASSWORD)
    assert NEW_PASSWORD not in str(list(AuditEntry.objects.values()))


def test_rights_are_given_and_what_was_before_is_written_down(admin: Client, owner: User) -> None:
    group = Group.objects.create(name="helpers")
    stop = Permission.objects.get(codename="stop_stream")
    assert "The rights are set." in do(admin, owner, "rights", staff="on", groups=[group.pk], permissions=[stop.pk])
    owner = User.objects.get(pk=owner.pk)
    assert (owner.is_staff, owner.is_superuser) == (True, False)
    assert owner.has_perm("streaming.stop_stream")
    assert list(owner.groups.all()) == [group]
    entry = AuditEntry.objects.get(action="user.rights")
    assert entry.details == {"before": [], "after": ["staff", "group helpers", "stop_stream"]}


def test_nobody_locks_themselves_out(admin: Client, ada: User) -> None:
    assert "lock yourself out" in do(admin, ada, "rights", staff="on")
    assert "switch yourself off" in do(admin, ada, "deactivate")
    assert "in your account" in do(admin, ada, "password", password=NEW_PASSWORD)
    ada.refresh_from_db()
    assert ada.is_superuser
    assert ada.is_active


ALL_OF_USERS = [f"live_sessions.{name}_user" for name in ("view", "add", "change", "deactivate")]


def test_only_superusers_give_rights_or_touch_those_who_have_some(
    stan: Callable[..., User], ada: User, owner: User, signed_in: Callable[..., Client]
) -> None:
    helper = stan(*ALL_OF_USERS)
    client = signed_in(helper)
    for target in (ada, owner, helper):
        address = reverse("admin:live_sessions_user_rights", args=[target.pk])
        assert client.post(address, {"confirmed": "yes", "superuser": "on"}).status_code == 403
    for action, data in (("password", {"password": NEW_PASSWORD}), ("deactivate", {}), ("sign-out", {})):
        assert "only a superuser" in do(client, ada, action, **data)
    change = reverse("admin:live_sessions_user_change", args=[ada.pk])
    assert client.post(change, {"name": "x", "email": "mine@example.com"}).status_code == 403
    assert client.get(reverse("admin:auth_group_changelist")).status_code == 403
    ada.refresh_from_db()
    assert (ada.email, ada.is_active, ada.check_password(PASSWORD)) == ("ada@example.com", True, True)
    assert "Switched off." in do(client, owner, "deactivate")


def test_a_second_factor_that_was_lost_is_taken_off(admin: Client, owner: User) -> None:
    from allauth.mfa.models import Authenticator

    assert "no second factor" in do(admin, owner, "second-factor")
    Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={})
    assert "The second factor is off." in do(admin, owner, "second-factor")
    assert not Authenticator.objects.exists()
