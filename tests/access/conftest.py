"""The stage on which the access table is walked in this process: a session with its cast, and one of everything."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy, deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone

from tests.access.table import CAST, Line
from tests.conftest import PASSWORD, VALKEY


@dataclass
class Stage:
    """`things` fill in addresses; `callers` come with API tokens, `browsers` with cookies."""

    things: dict[str, str] = field(default_factory=dict)
    callers: dict[str, dict[str, str]] = field(default_factory=dict)
    browsers: dict[str, Client] = field(default_factory=dict)

    def ask(self, who: str, line: Line, path: str = "", headers: dict[str, str] | None = None) -> Any:
        """What `who` is answered, at another path and with another credential if they are given. Nothing stays of it."""
        page = line.file == "pages.txt"
        client = copy(self.browsers[who]) if page else Client()
        client.cookies = deepcopy(client.cookies)  # signing out leaves the browser on the stage signed in
        kind = "application/x-www-form-urlencoded" if page else "application/json"
        headers = self.callers[who] if headers is None else headers  # pages take no notice of them: also that is walked
        VALKEY.empty()
        with transaction.atomic():
            response = client.generic(
                line.what, path or line.path(self.things), line.body(self.things), kind, headers=headers
            )
            transaction.set_rollback(True)
        return response

    def answers(self, line: Line) -> dict[str, str]:
        return {who: word_for(self.ask(who, line)) for who in CAST}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def word_for(response: HttpResponseBase) -> str:
    """The answer in the table's words: the status, or where one is sent to."""
    if response.status_code != 302:
        return str(response.status_code)
    try:
        view = resolve(response["Location"].partition("?")[0]).view_name
    except Resolver404:  # a file
        return "302"
    return {"home": "home", "account_login": "login", "admin:login": "login"}.get(view, "302")


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """Built once: nothing of what is asked stays."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield built()
        transaction.set_rollback(True)


def built() -> Stage:
    from sessions.authentication import create_token
    from sessions.invitations import invite
    from sessions.membership import add_member
    from sessions.models import Role, TokenScope, User
    from sessions.services import create_session

    def make(name: str, **fields: Any) -> User:
        return User.objects.create_user(f"{name.lower()}@example.com", PASSWORD, name=name, **fields)

    users = {who: make(who.title()) for who in CAST if who not in ("admin", "reader", "nobody")}
    users["admin"] = make("Admin", is_staff=True, is_superuser=True)
    owner, second = users["owner"], make("Second")
    make("Nina")
    session = create_session(owner, title="The plan", slug="the-plan")
    for user, role in (
        (users["editor"], Role.EDITOR), (users["viewer"], Role.VIEWER), (users["gone"], Role.EDITOR),
        (second, Role.VIEWER),
    ):  # fmt: skip
        add_member(session, owner, user, role)

    made = Stage()
    for who in CAST:
        made.browsers[who] = Client()
        made.callers[who] = {}
        if who in users:
            made.browsers[who].force_login(users[who])
            made.callers[who] = bearer(create_token(users[who], "tests")[1])
    made.callers["reader"] = bearer(create_token(owner, "reader", TokenScope.READ)[1])
    users["gone"].is_active = False
    users["gone"].save()

    invitation, link = invite(session, owner, address=str)
    made.things = {
        "ref": "the-plan",
        "user": str(second.pk),
        "invitation": str(invitation.pk),
        "link": link,
        "token": str(create_token(owner, "ci")[0].pk),
        "nothing": "11111111-2222-3333-4444-555555555555",
        "picture": default_storage.save(f"avatars/{'0' * 32}.webp", ContentFile(b"a picture")).split("/")[1][:32],
        **_streams(session, owner),
    }
    return made


def _streams(session: Any, owner: Any) -> dict[str, str]:
    """One in the session, which waits; one of the owner's own; one that nobody in particular started."""
    from hanzo_live.protocol import StreamRequest
    from streaming.models import ToolCall, ToolCallStatus
    from streaming.services import start_stream

    asked = StreamRequest(content="Hello")
    here = start_stream(owner, asked, session_ref=str(session.pk), content="Hello")
    own, nobodys = (start_stream(user, asked, content="Hello") for user in (owner, None))
    for each in (here, own, nobodys):
        for call, status in (("c1", ToolCallStatus.AWAITING_APPROVAL), ("c2", ToolCallStatus.AWAITING_CLIENT)):
            ToolCall.objects.create(
                stream_id=each.stream,
                call=call,
                tool="look",
                status=status,
                deadline=timezone.now() + timedelta(hours=1),
            )
    return {
        "stream": str(here.stream),
        "message": str(here.message),
        "own": str(own.stream),
        "nobodys": str(nobodys.stream),
    }
