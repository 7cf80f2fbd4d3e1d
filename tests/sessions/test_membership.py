"""Who is in a session: one event a change, and always an owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hanzo_live.protocol.errors import LiveError
from sessions import membership
from sessions.membership import add_member, find_account, remove_member, set_role
from sessions.models import LiveSession, Member, OutboxRow, Role, User
from sessions.queries import user_wire
from sessions.services import create_session


def last_event(session: LiveSession) -> tuple[str, dict[str, object]]:
    row = OutboxRow.objects.filter(log=session.log).latest("id")
    return row.type, row.body


def test_each_change_is_announced(owner: User, outsider: User) -> None:
    session = create_session(owner)
    who = user_wire(outsider)
    add_member(session, owner, outsider, Role.VIEWER)
    assert last_event(session) == ("member", {"action": "joined", "user": who, "role": "viewer"})
    set_role(session, owner, outsider.pk, Role.EDITOR)
    assert last_event(session) == ("member", {"action": "role", "user": who, "role": "editor"})
    remove_member(session, owner, outsider.pk)
    assert last_event(session) == ("member", {"action": "removed", "user": who, "role": "editor"})
    add_member(session, owner, outsider, Role.VIEWER)
    remove_member(session, outsider, outsider.pk)
    assert last_event(session) == ("member", {"action": "left", "user": who, "role": "viewer"})


def test_a_role_that_stays_is_not_announced(live_session: LiveSession, owner: User, viewer: User) -> None:
    before = OutboxRow.objects.count()
    set_role(live_session, owner, viewer.pk, Role.VIEWER)
    assert OutboxRow.objects.count() == before


def test_the_last_owner_stays_owner(live_session: LiveSession, owner: User, teammate: User) -> None:
    for attempt in (
        lambda: remove_member(live_session, owner, owner.pk),
        lambda: set_role(live_session, owner, owner.pk, Role.EDITOR),
    ):
        with pytest.raises(LiveError, match="needs an owner") as refusal:
            attempt()
        assert refusal.value.code == "conflict"
    set_role(live_session, owner, teammate.pk, Role.OWNER)
    remove_member(live_session, owner, owner.pk)
    assert Member.objects.get(session=live_session, role=Role.OWNER).user == teammate


def test_nobody_is_a_member_twice(live_session: LiveSession, owner: User, viewer: User) -> None:
    with pytest.raises(LiveError, match="already"):
        add_member(live_session, owner, viewer, Role.EDITOR)


def test_a_session_has_a_limit_of_members(
    live_session: LiveSession, owner: User, outsider: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "MAX_MEMBERS", 3)
    with pytest.raises(LiveError, match="at most 3 members"):
        add_member(live_session, owner, outsider, Role.VIEWER)


def test_an_account_is_found_by_id_and_by_address_in_any_case(outsider: User, make_user: Callable[..., User]) -> None:
    assert find_account(user_id=outsider.pk) == find_account(email="OTTO@Example.com ") == outsider
    gone = make_user("Gone", is_active=False)
    for look in (lambda: find_account(email="nobody@example.com"), lambda: find_account(user_id=gone.pk)):
        with pytest.raises(LiveError, match="sign up first") as refusal:
            look()
        assert refusal.value.code == "not_found"
