"""Invitations: who joins by one, how often, until when; and what is kept of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from hanzo_live.protocol.errors import LiveError
from sessions import invitations
from sessions.invitations import (
    IN_WORDS,
    Standing,
    accept,
    decline,
    find,
    invite,
    open_invitations,
    revoke,
    standing_of,
)
from sessions.membership import add_member, remove_member, set_role
from sessions.models import Invitation, InvitationUse, LiveSession, Member, OutboxRow, Role, User
from sessions.rates import Rate
from sessions.services import create_session, delete_session, post_message, update_session

HERE = "198.51.100.7"
DAY = timedelta(days=1)


@contextmanager
def refused(code: str, words: str = "", field: str | None = None) -> Iterator[None]:
    with pytest.raises(LiveError, match=words or None) as refusal:
        yield
    assert (refusal.value.code, refusal.value.field) == (code, field)


def link(session: LiveSession, inviter: User, **options: Any) -> Invitation:
    return invite(session, inviter, address=str, **options)[0]


def test_whoever_has_the_token_joins_as_invited(live_session: LiveSession, owner: User, outsider: User) -> None:
    post_message(live_session.pk, owner, "before")
    invitation, token = invite(live_session, owner, address=str, role="viewer")
    member = accept(find(token, HERE), outsider)
    assert (member.session, member.role, member.last_read_n) == (live_session, Role.VIEWER, 1)
    event = OutboxRow.objects.filter(log=live_session.log, type="member").latest("id").body
    assert event == {
        "action": "joined",
        "user": {"id": str(outsider.pk), "name": "Otto", "avatar": None},
        "role": "viewer",
    }
    invitation.refresh_from_db()
    assert (invitation.uses, standing_of(invitation)) == (1, Standing.USED_UP)


def test_the_token_is_kept_nowhere(live_session: LiveSession, owner: User) -> None:
    _, token = invite(live_session, owner, address=str, email="grace@example.com")
    kept = repr(list(Invitation.objects.values())) + repr(list(OutboxRow.objects.values()))
    assert token not in kept
    assert token.removeprefix("hzi_") not in kept


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": "king"}, "role"),
        ({"email": "no address"}, "email"),
        ({"email": "a\0@example.com"}, "email"),
        ({"email": "a" * 1_000_000 + "@example.com"}, "email"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email"),
        ({"expires_in": 59}, "expires_in"),
        ({"expires_in": 31_536_001}, "expires_in"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 10_001}, "max_uses"),
    ],
)
def test_it_refuses_what_is_no_invitation(
    live_session: LiveSession, owner: User, options: dict[str, Any], field: str
) -> None:
    with refused("bad_request", field=field):
        link(live_session, owner, **options)
    assert not Invitation.objects.exists()


def test_the_address_of_a_member_is_not_invited(live_session: LiveSession, owner: User, viewer: User) -> None:
    with refused("conflict", "already", "email"):
        link(live_session, owner, email=viewer.email.upper())


def test_of_two_mails_to_one_address_the_newest_counts(live_session: LiveSession, owner: User, outsider: User) -> None:
    _, old = invite(live_session, owner, address=str, email="grace@example.com")
    _, new = invite(live_session, owner, address=str, email="Grace@Example.com")
    assert standing_of(find(old, HERE)) == Standing.REVOKED
    assert accept(find(new, HERE), outsider)


def test_it_ends_with_its_time(live_session: LiveSession, owner: User, outsider: User) -> None:
    invitation = link(live_session, owner, expires_in=3600)
    end = invitation.expires_at
    assert standing_of(invitation, end - timedelta(microseconds=1)) == Standing.OPEN
    assert standing_of(invitation, end) == Standing.EXPIRED
    assert list(open_invitations(live_session, end)) == []
    with refused("conflict", "expired"):
        accept(invitation, outsider, end)
    with refused("conflict", "expired"):
        decline(invitation, end)
    assert accept(invitation, outsider, end - DAY)


def test_a_member_does_not_use_it_up(live_session: LiveSession, owner: User, viewer: User, outsider: User) -> None:
    invitation = link(live_session, owner)
    for member in (owner, viewer):
        with refused("conflict", "member of this session already"):
            accept(invitation, member)
    assert accept(invitation, outsider)


def test_who_was_removed_does_not_come_back_by_the_same_link(
    live_session: LiveSession, owner: User, outsider: User
) -> None:
    invitation = link(live_session, owner, max_uses=5)
    accept(invitation, outsider)
    remove_member(live_session, owner, outsider.pk)
    with refused("conflict", "before"):
        accept(invitation, outsider)
    invitation.refresh_from_db()
    assert invitation.uses == 1


@pytest.mark.parametrize("ending", ["removed", "editor", "inactive", "deleted"])
def test_it_ends_when_who_sent_it_may_not_invite_any_more(
    live_session: LiveSession, owner: User, teammate: User, outsider: User, ending: str
) -> None:
    set_role(live_session, owner, teammate.pk, Role.OWNER)
    invitation = link(live_session, teammate)
    match ending:
        case "removed":
            remove_member(live_session, owner, teammate.pk)
        case "editor":
            set_role(live_session, owner, teammate.pk, Role.EDITOR)
        case "inactive":
            teammate.is_active = False
            teammate.save()
        case "deleted":
            teammate.delete()
    invitation.refresh_from_db()
    assert standing_of(invitation) == Standing.REVOKED
    assert list(open_invitations(live_session)) == []
    with refused("conflict", "taken back"):
        accept(invitation, outsider)


def test_declining_ends_it_for_one_person_and_not_for_several(
    live_session: LiveSession, owner: User, outsider: User
) -> None:
    one, several = link(live_session, owner), link(live_session, owner, max_uses=2)
    decline(one)
    decline(several)
    one.refresh_from_db()
    assert standing_of(one) == Standing.DECLINED
    with refused("conflict", "declined"):
        accept(one, outsider)
    assert accept(several, outsider)


def test_it_is_taken_back(live_session: LiveSession, owner: User, outsider: User) -> None:
    invitation = link(live_session, owner)
    other = create_session(owner)
    with refused("not_found"):
        revoke(other, invitation.pk)
    revoke(live_session, invitation.pk)
    revoke(live_session, invitation.pk)
    invitation.refresh_from_db()
    with refused("conflict", "taken back"):
        accept(invitation, outsider)
    assert not InvitationUse.objects.exists()


def test_an_archived_session_invites_nobody_until_it_is_opened(
    live_session: LiveSession, owner: User, outsider: User
) -> None:
    invitation = link(live_session, owner)
    update_session(live_session, owner, archived=True)
    with refused("conflict", "archived"):
        link(live_session, owner)
    with refused("conflict", "archived"):
        accept(invitation, outsider)
    update_session(live_session, owner, archived=False)
    assert accept(invitation, outsider)


def test_a_deleted_session_takes_its_invitations_along(live_session: LiveSession, owner: User, outsider: User) -> None:
    invitation, token = invite(live_session, owner, address=str)
    delete_session(live_session)
    with refused("not_found"):
        find(token, HERE)
    with refused("not_found"):
        accept(invitation, outsider)


def test_guessing_is_slowed_down_and_a_right_link_is_no_guess(live_session: LiveSession, owner: User) -> None:
    _, token = invite(live_session, owner, address=str)
    for number in range(invitations.GUESSES.most):
        find(token, HERE)
        with refused("not_found"):
            find(f"hzi_{number}", HERE)
    with pytest.raises(LiveError) as refusal:
        find(token, HERE)
    assert refusal.value.code == "rate_limited"
    assert refusal.value.retry_after
    assert find(token, "203.0.113.9")


@pytest.mark.parametrize("token", ["", "hzi_", "x" * 1_000_000, "\0", "\ud800", "ü", "' OR 1=1 --"])
def test_a_wrong_token_is_not_found_whatever_it_is(db: None, token: str) -> None:
    with refused("not_found"):
        find(token, HERE)


def test_nobody_invites_by_the_hundred(live_session: LiveSession, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "INVITES", Rate("invites", limit=3, seconds=3600))
    monkeypatch.setattr(invitations, "MAX_OPEN", 2)
    for _ in range(2):
        link(live_session, owner)
    with refused("conflict", "Take some back"):
        link(live_session, owner)
    with refused("rate_limited"):
        link(live_session, owner)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("uses", [1, 3])
def test_of_many_at_once_as_many_join_as_may(make_user: Callable[..., User], uses: int) -> None:
    host, guests = make_user("Olga"), [make_user(f"Guest{number}") for number in range(6)]
    session = create_session(host)
    _, token = invite(session, host, address=str, max_uses=uses)
    ready = threading.Barrier(len(guests))

    def come(guest: User) -> str:
        try:
            # Each has seen it open before anybody uses it.
            invitation = find(token, HERE)
            ready.wait(20)
            accept(invitation, guest)
        except LiveError as error:
            return error.message
        finally:
            connection.close()
        return "joined"

    with ThreadPoolExecutor(len(guests)) as pool:
        answers = list(pool.map(come, guests))
    assert answers.count("joined") == uses
    assert answers.count(IN_WORDS[Standing.USED_UP]) == len(guests) - uses
    assert Member.objects.filter(session=session).count() == 1 + uses
    assert Invitation.objects.get().uses == uses == InvitationUse.objects.count()


@pytest.mark.django_db(transaction=True)
def test_one_person_who_presses_twice_joins_once(make_user: Callable[..., User]) -> None:
    host, guest = make_user("Olga"), make_user("Otto")
    session = create_session(host)
    _, token = invite(session, host, address=str, max_uses=5)
    ready = threading.Barrier(2)

    def press(_: int) -> str:
        try:
            invitation = find(token, HERE)
            ready.wait(20)
            accept(invitation, guest)
        except LiveError as error:
            return error.message
        finally:
            connection.close()
        return "joined"

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, range(2)))
    assert sorted(answers) == ["You are a member of this session already.", "joined"]
    assert Invitation.objects.get().uses == 1


def test_the_list_holds_what_is_open_at_a_constant_cost(
    live_session: LiveSession, owner: User, outsider: User, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        link(live_session, owner, email=f"guest{number}@example.com")
    accept(Invitation.objects.get(email="guest0@example.com"), outsider)
    decline(Invitation.objects.get(email="guest1@example.com"))
    revoke(live_session, Invitation.objects.get(email="guest2@example.com").pk)
    Invitation.objects.filter(email="guest3@example.com").update(expires_at=timezone.now() - DAY)
    with django_assert_num_queries(1):
        found = [(each.email, each.inviter) for each in open_invitations(live_session)]
    assert found == [("guest4@example.com", owner)]


def test_it_joins_nobody_to_a_full_session(
    live_session: LiveSession, owner: User, outsider: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.membership.MAX_MEMBERS", 3)
    invitation = link(live_session, owner)
    with refused("conflict", "at most"):
        accept(invitation, outsider)
    invitation.refresh_from_db()
    assert invitation.uses == 0
    assert not InvitationUse.objects.exists()
    monkeypatch.setattr("sessions.membership.MAX_MEMBERS", 4)
    assert accept(invitation, outsider)
    with pytest.raises(LiveError):
        add_member(live_session, owner, outsider, Role.VIEWER)
