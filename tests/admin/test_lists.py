"""The panel's lists: what is found, what is never shown, and that they cost the same however long the tables are."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin as panel
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions.admin.paging import MAX_COUNTED
from sessions.authentication import create_token
from sessions.invitations import invite
from sessions.models import ApiToken, Invitation, LiveSession, Member, Message, User
from sessions.services import post_message
from streaming.models import Stream
from tests.admin.conftest import page_text
from tests.admin.crowd import Crowd

FEW = 10
MANY = 100_000

MODELS = sorted(panel.site._registry, key=lambda model: model._meta.label)
# Users first: members are users.
GROWING = sorted(MODELS, key=lambda model: model is not User)


def list_of(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def queries_of(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200, address
    return [query["sql"] for query in queries]


@pytest.mark.timeout(300)
def test_every_list_costs_as_many_queries_with_100000_rows_as_with_10(admin: Client) -> None:
    crowd = Crowd()
    addresses = {model: [list_of(model), f"{list_of(model)}?q=crowd", f"{list_of(model)}?p=2"] for model in MODELS}
    for model in GROWING:
        crowd.grow(model, FEW)
    admin.get("/admin/")  # what is looked up once a process
    before = {model: [len(queries_of(admin, address)) for address in addresses[model][:2]] for model in MODELS}
    for model in GROWING:
        crowd.grow(model, MANY)
        assert model._default_manager.count() >= MANY
    for model in MODELS:
        found = [queries_of(admin, address) for address in addresses[model]]
        assert [len(each) for each in found[:2]] == before[model], (model, found)
        counts = [sql for each in found for sql in each if "COUNT(" in sql]
        # Whatever is counted, is counted no further than this.
        assert counts, model
        assert all(f"LIMIT {MAX_COUNTED}" in sql for sql in counts), counts
    assert f"The first {MAX_COUNTED} rows" in page_text(admin.get(list_of(Message)))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model._meta.label))
def test_every_filter_and_order_is_taken(admin: Client, live_session: LiveSession, model: Any) -> None:
    address = list_of(model)
    model_admin = panel.site._registry[model]
    request = admin.get(address).wsgi_request
    for spec in model_admin.get_changelist_instance(request).filter_specs:
        for parameter in spec.expected_parameters():
            for value in ("1", "open", "9999-12-31", str(live_session.pk), "a\0", "'"):
                response = admin.get(address, {parameter: value})
                # What a filter does not take, leads back to the list.
                assert response.status_code in (200, 302), (parameter, value)
    for order in ("1", "-1", "9", "x"):
        assert admin.get(address, {"o": order}).status_code == 200
    for page in ("0", "99999", "x"):
        assert admin.get(address, {"p": page}).status_code in (200, 302)


def found(client: Client, model: Any, query: str) -> list[Any]:
    response = client.get(list_of(model), {"q": query})
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def test_sessions_are_found_by_words_slug_and_id(admin: Client, live_session: LiveSession) -> None:
    other = LiveSession.objects.create(title="Grocery list")
    for query in ("plan", "the pla", "the-plan", str(live_session.pk), str(live_session.pk).upper()):
        assert found(admin, LiveSession, query) == [live_session.pk], query
    assert found(admin, LiveSession, "groc list") == [other.pk]
    for query in ("lan", "plan grocery", "%", "'", '"', "x" * 5_000, "^plan"):
        assert found(admin, LiveSession, query) in (
            [],
            [live_session.pk] if "plan" in query and "g" not in query else [],
        )


def test_users_are_found_by_address_name_and_id(admin: Client, owner: User, teammate: User) -> None:
    for query in ("olga@", "OLGA@EXAMPLE.COM", "lga", str(owner.pk)):
        assert found(admin, User, query) == [owner.pk], query


def test_what_belongs_to_a_session_is_found_by_it_and_by_whose_it_is(
    admin: Client, live_session: LiveSession, owner: User, teammate: User
) -> None:
    said = post_message(live_session.pk, owner, "hello").message
    invitation, _ = invite(live_session, owner, address=str, email="nina@example.com")
    stream = Stream.objects.create(session=live_session, user=owner, log=live_session.log, request={})
    alone = Stream.objects.create(user=teammate, log="stream:x", request={})
    for model, pk in ((Message, said.pk), (Invitation, invitation.pk), (Stream, stream.pk)):
        for query in ("the-plan", "plan", "olga", str(live_session.pk), str(pk)):
            assert found(admin, model, query) == [pk], (model, query)
    assert found(admin, Invitation, "nina@") == [invitation.pk]
    assert found(admin, Stream, "tariq") == [alone.pk]
    assert len(found(admin, Member, "plan")) == 3
    member = Member.objects.get(session=live_session, user=teammate)
    assert found(admin, Member, "tariq@example.com") == [member.pk]


def test_a_sessions_and_a_users_page_lead_to_what_is_theirs(
    admin: Client, live_session: LiveSession, owner: User
) -> None:
    post_message(live_session.pk, owner, "hello")
    for row, models in ((live_session, (Member, Invitation, Message, Stream)), (owner, (Member, ApiToken, Stream))):
        page = page_text(admin.get(reverse(f"admin:live_sessions_{row._meta.model_name}_change", args=[row.pk])))
        for model in models:
            lookup = "session__id__exact" if row is live_session else "user__id__exact"
            address = f"{list_of(model)}?{lookup}={row.pk}"
            assert f'href="{address}"' in page
            rows = admin.get(address).context["cl"].result_list
            assert all(getattr(each, lookup.partition("__")[0]) == row for each in rows)


def test_no_digest_and_nothing_that_was_said_is_shown(admin: Client, live_session: LiveSession, owner: User) -> None:
    token, _ = create_token(owner, "ci")
    invitation, _ = invite(live_session, owner, address=str)
    said = post_message(live_session.pk, owner, "a secret plan").message
    stream = Stream.objects.create(
        user=owner, log="stream:x", request={"messages": ["a secret plan"]}, content="a secret plan"
    )
    for row in (token, invitation, said, stream):
        name = f"{row._meta.app_label}_{row._meta.model_name}"
        for address in (list_of(type(row)), reverse(f"admin:{name}_change", args=[row.pk])):
            page = page_text(admin.get(address))
            assert str(row.pk)[:8] in page
            assert not any(secret in page for secret in (token.digest, invitation.digest, "a secret plan")), address


def test_names_and_titles_are_shown_as_they_are_and_run_nothing(
    admin: Client, make_user: Any, live_session: LiveSession
) -> None:
    evil = make_user("Eve")
    evil.name = live_session.title = "<script>alert(1)</script>"
    evil.save()
    live_session.save()
    Member.objects.create(session=live_session, user=evil, role="owner")
    for model in (User, LiveSession, Member):
        page = page_text(admin.get(list_of(model)))
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
