"""Who may do what: the table, and that refusals tell nothing."""

from __future__ import annotations

from uuid import uuid4

import pytest

from hanzo_live.protocol.errors import LiveError
from sessions.access import Action, allowed, find_session, require_log, require_stream, role_of
from sessions.models import LiveSession, Role, User

MAY = {
    Action.READ: {Role.OWNER, Role.EDITOR, Role.VIEWER},
    Action.PROMPT: {Role.OWNER, Role.EDITOR},
    Action.STOP: {Role.OWNER, Role.EDITOR},
    Action.EDIT_DRAFT: {Role.OWNER, Role.EDITOR},
    Action.APPROVE_TOOLS: {Role.OWNER, Role.EDITOR},
    Action.INVITE: {Role.OWNER},
    Action.MANAGE: {Role.OWNER},
    Action.DELETE: {Role.OWNER},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_it_allows_what_the_table_says(role: Role, action: Action) -> None:
    assert allowed(role, action) is (role in MAY[action])


@pytest.mark.parametrize("by", ["id", "slug"])
def test_it_finds_a_session_by_id_and_by_slug(live_session: LiveSession, teammate: User, by: str) -> None:
    found, role = find_session(teammate, str(getattr(live_session, by)), Action.PROMPT)
    assert (found, role) == (live_session, Role.EDITOR)


def test_it_answers_alike_for_a_session_of_others_and_for_none(
    live_session: LiveSession, outsider: User, owner: User
) -> None:
    refs = [
        str(live_session.pk),
        "the-plan",
        str(uuid4()),
        "no-such",
        "",
        "\0",
        "\ud800",
        "x" * 500,
        "../etc",
        live_session.pk.hex,
    ]
    answers = []
    for user, ref in [*((outsider, ref) for ref in refs), *((owner, ref) for ref in refs[2:])]:
        with pytest.raises(LiveError) as refusal:
            find_session(user, ref, Action.DELETE)
        answers.append(refusal.value.wire())
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == "not_found"


def test_a_member_without_the_right_is_told_whom_to_ask(live_session: LiveSession, viewer: User) -> None:
    with pytest.raises(LiveError, match="viewer of this session you may not write messages. Ask an owner") as refusal:
        find_session(viewer, "the-plan", Action.PROMPT)
    assert refusal.value.code == "forbidden"


def test_nobody_is_told_to_sign_in_whatever_the_session(live_session: LiveSession) -> None:
    for ref in ("the-plan", "no-such"):
        with pytest.raises(LiveError) as refusal:
            find_session(None, ref, Action.READ)
        assert refusal.value.code == "unauthenticated"


def test_an_account_that_was_switched_off_has_no_role(live_session: LiveSession, teammate: User) -> None:
    assert role_of(teammate.pk, live_session.pk) is Role.EDITOR
    teammate.is_active = False
    teammate.save()
    assert role_of(teammate.pk, live_session.pk) is None


def test_a_log_has_one_name_whatever_it_was_asked_by(live_session: LiveSession, viewer: User, outsider: User) -> None:
    assert (
        require_log(viewer, "session:the-plan") == require_log(viewer, f"session:{live_session.pk}") == live_session.log
    )
    for user, log in (
        (outsider, "session:the-plan"),
        (viewer, f"stream:{uuid4()}"),
        (viewer, "session:"),
        (viewer, ""),
    ):
        with pytest.raises(LiveError) as refusal:
            require_log(user, log)
        assert refusal.value.code == "not_found"


def test_a_stream_in_a_session_goes_by_role(
    live_session: LiveSession, viewer: User, teammate: User, outsider: User
) -> None:
    def ask(user: User | None, action: Action) -> None:
        require_stream(user, session=live_session, owner_id=teammate.pk, anonymous=False, action=action)

    ask(viewer, Action.READ)
    ask(teammate, Action.STOP)
    with pytest.raises(LiveError) as refusal:
        ask(viewer, Action.STOP)
    assert refusal.value.code == "forbidden"
    for user in (outsider, None):
        with pytest.raises(LiveError) as refusal:
            ask(user, Action.READ)
        assert refusal.value.code == "not_found"


def test_a_stream_of_its_own_is_its_owners_unless_it_is_anonymous(owner: User, outsider: User) -> None:
    require_stream(owner, session=None, owner_id=owner.pk, anonymous=False, action=Action.STOP)
    require_stream(None, session=None, owner_id=None, anonymous=True, action=Action.STOP)
    for user in (outsider, None):
        with pytest.raises(LiveError) as refusal:
            require_stream(user, session=None, owner_id=owner.pk, anonymous=False, action=Action.READ)
        assert refusal.value.code == "not_found"
    with pytest.raises(LiveError):
        require_stream(None, session=None, owner_id=None, anonymous=False, action=Action.READ)
