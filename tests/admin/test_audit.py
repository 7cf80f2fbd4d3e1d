"""The audit log: every change in the panel is in it, in the same transaction, and nothing in it changes any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin as panel
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from sessions.admin.actions import Action
from sessions.audit import MAX_VALUE, Operator, record
from sessions.authentication import create_token
from sessions.invitations import invite
from sessions.models import AuditAction, AuditEntry, LiveSession, Member, Role, User
from sessions.services import update_session
from streaming.models import Notice, Stream
from tests.admin.conftest import page_text

PASSWORD = "another battery staple"

ACTIONS: list[tuple[type[Any], Action]] = [
    (model, action)
    for model, model_admin in panel.site._registry.items()
    for action in getattr(model_admin, "row_actions", ())
]


def entries() -> Any:
    """What was written down since somebody signed in."""
    return AuditEntry.objects.exclude(action=AuditAction.SIGN_IN)


def name_of(model: type[Any], action: Action) -> str:
    return f"{model._meta.model_name}.{action.name}"


class Rows:
    """Makes a row that an action can be done to, and says what the action's form is given."""

    def __init__(self, make_user: Callable[..., User]) -> None:
        self._make_user = make_user
        self.owner = make_user("Owen")
        self._count = 0

    FORMS: dict[str, dict[str, Any]] = {
        "member.role": {"role": "owner"},
        "user.password": {"password": PASSWORD},
        "user.rights": {"staff": "on"},
        "livesession.export": {"format": "json"},
        "stream.purge": {"what": "user"},
    }

    def user(self, action: str) -> User:
        self._count += 1
        user = self._make_user(f"Uma{self._count}", is_active=action != "activate")
        if action == "second-factor":
            Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
        return user

    def livesession(self, action: str) -> LiveSession:
        session = LiveSession.objects.create(title="Mine")
        Member.objects.create(session=session, user=self.owner, role=Role.OWNER)
        if action == "reopen":
            update_session(session, self.owner, archived=True)
        return session

    def member(self, action: str) -> Member:
        return Member.objects.create(session=self.livesession(""), user=self.user(""), role=Role.EDITOR)

    def invitation(self, action: str) -> Any:
        return invite(self.livesession(""), self.owner, address=str)[0]

    def apitoken(self, action: str) -> Any:
        return create_token(self.owner, "ci")[0]

    def stream(self, action: str) -> Stream:
        return Stream.objects.create(user=self.owner, log="stream:x", request={})

    def notice(self, action: str) -> Notice:
        body = {"type": "stream_start", "stream": "s"}
        return Notice.objects.create(url="https://example.com/hook", body=body, given_up_at=timezone.now())

    def make(self, model: type[Any], action: str) -> Any:
        return getattr(self, str(model._meta.model_name))(action)


@pytest.fixture
def rows(make_user: Callable[..., User]) -> Rows:
    return Rows(make_user)


@pytest.mark.parametrize(("model", "action"), ACTIONS, ids=[name_of(*each) for each in ACTIONS])
def test_every_action_is_confirmed_and_then_written_down(
    admin: Client, ada: User, rows: Rows, model: type[Any], action: Action
) -> None:
    row = rows.make(model, action.name)
    pk = str(row.pk)
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{action.name}", args=[row.pk])
    question = admin.get(address)
    assert action.question in page_text(question).replace("&#x27;", "'")
    assert not admin.post(address).has_header("Location"), "not without a confirmation"
    assert not entries().exists()
    data = {"confirmed": "yes", **Rows.FORMS.get(name_of(model, action), {})}
    done = admin.post(address, data, REMOTE_ADDR="192.0.2.7")
    assert done.status_code == 302 or done.streaming
    entry = entries().get()
    assert (entry.actor, entry.actor_label, entry.address) == (ada.pk, "ada@example.com", "192.0.2.7")
    assert (entry.target, entry.target_type) == (pk, model._meta.verbose_name)
    assert entry.target_label


@pytest.mark.parametrize(
    ("model", "action"), [each for each in ACTIONS if each[1].on_lists], ids=lambda value: getattr(value, "name", "")
)
def test_every_action_on_a_list_is_written_down_for_each_row(
    admin: Client, rows: Rows, model: type[Any], action: Action
) -> None:
    made = [str(rows.make(model, action.name).pk) for _ in range(2)]
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    chosen = {"action": action.name, "_selected_action": made}
    question = admin.post(address, chosen)
    assert action.question in page_text(question).replace("&#x27;", "'")
    assert not entries().exists()
    data = {**chosen, "confirmed": "yes", **Rows.FORMS.get(name_of(model, action), {})}
    done = admin.post(address, data)
    assert done.status_code == 302 or done.streaming
    assert sorted(entries().values_list("target", flat=True)) == sorted(made)


# What forms write -------------------------------------------------------------------------------------------------

WRITES: dict[tuple[type[Any], str], tuple[dict[str, Any], AuditAction]] = {
    (User, "add"): ({"name": "Nina", "email": "Nina@example.com", "password": PASSWORD}, AuditAction.USER_CREATE),
    (User, "change"): ({"name": "New", "email": "new@example.com"}, AuditAction.USER_CHANGE),
    (Group, "add"): ({"name": "helpers"}, AuditAction.GROUP_CREATE),
    (Group, "change"): ({"name": "others"}, AuditAction.GROUP_CHANGE),
    (Group, "delete"): ({"post": "yes"}, AuditAction.GROUP_DELETE),
}


def writable(client: Client) -> Iterator[tuple[type[Any], str]]:
    request = client.get("/admin/").wsgi_request
    for model, model_admin in panel.site._registry.items():
        for kind in ("add", "change", "delete"):
            if getattr(model_admin, f"has_{kind}_permission")(request):
                yield model, kind


def test_every_form_that_writes_is_in_this_table(admin: Client) -> None:
    assert set(writable(admin)) == set(WRITES)


@pytest.mark.parametrize(("model", "kind"), WRITES, ids=lambda value: getattr(value, "__name__", str(value)))
def test_every_form_that_writes_is_written_down(admin: Client, owner: User, model: type[Any], kind: str) -> None:
    data, action = WRITES[model, kind]
    row = owner if model is User else Group.objects.create(name="team")
    address = reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}", args=[] if kind == "add" else [row.pk]
    )
    response = admin.post(address, data)
    assert response.status_code == 302, page_text(response)
    entry = entries().get()
    assert entry.action == action
    assert entry.target


# Addresses of the panel that change nothing, beside each list's and each row's own.
READS = {
    "index", "search", "login", "autocomplete", "jsi18n", "view_on_site", "app_list",
    # These lead to the pages of one's own account, and out.
    "logout", "password_change", "password_change_done",
    "dashboard_figures",
    "live_sessions_livesession_transcript",
}  # fmt: skip


def names(patterns: list[Any]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield pattern.name


def test_every_address_of_the_panel_is_a_read_or_is_walked_here() -> None:
    known = set(READS)
    for model in panel.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        known |= {f"{name}_{kind}" for kind in ("changelist", "add", "history", "delete", "change")}
    known |= {f"{model._meta.app_label}_{model._meta.model_name}_{action.name}" for model, action in ACTIONS}
    assert set(names(panel.site.get_urls())) <= known


def test_what_has_no_form_takes_no_form(admin: Client, rows: Rows) -> None:
    for model in panel.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for kind in ("add", "change", "delete"):
            walked = (model, kind) in WRITES or (model, kind) in [(model, action.name) for model, action in ACTIONS]
            if not walked and hasattr(rows, str(model._meta.model_name)):
                args = [] if kind == "add" else [rows.make(model, "").pk]
                assert admin.post(reverse(f"admin:{name}_{kind}", args=args), {"post": "yes"}).status_code == 403


# The log itself ---------------------------------------------------------------------------------------------------


def entry_of(ada: User, **details: Any) -> AuditEntry:
    with transaction.atomic():
        return record(Operator(ada, "192.0.2.7"), AuditAction.USER_CHANGE, ada, **details)


def test_entries_are_neither_changed_nor_deleted(ada: User) -> None:
    entry = entry_of(ada)
    entry.actor_label = "somebody else"
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor_label="x"),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor_label"]),
        lambda: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"actor_label": "x"}),
    ):
        with pytest.raises(TypeError, match="Audit entries are not"):
            change()
    assert entries().get().actor_label == "ada@example.com"


def test_entries_outlive_whom_and_what_they_tell_of(admin: Client, ada: User, rows: Rows) -> None:
    session = rows.make(LiveSession, "")
    admin.post(reverse("admin:live_sessions_livesession_delete", args=[session.pk]), {"confirmed": "yes"})
    assert not LiveSession.objects.filter(pk=session.pk).exists()
    User.objects.filter(pk=ada.pk).delete()
    entry = entries().get()
    assert (entry.actor, entry.actor_label, entry.target_label) == (ada.pk, "ada@example.com", "Mine")
    assert entry.session == session.pk


def test_an_entry_stands_and_falls_with_what_it_tells_of(ada: User) -> None:
    with transaction.atomic():
        record(Operator(ada), AuditAction.USER_CHANGE, ada)
        transaction.set_rollback(True)
    assert not entries().exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_without_a_transaction_is_a_bug() -> None:
    user = User.objects.create_user("ada@example.com", name="Ada")
    with pytest.raises(transaction.TransactionManagementError):
        record(Operator(user), AuditAction.USER_CHANGE, user)


def test_what_is_refused_leaves_no_entry(admin: Client, ada: User) -> None:
    response = admin.post(
        reverse("admin:live_sessions_user_deactivate", args=[ada.pk]), {"confirmed": "yes"}, follow=True
    )
    assert "You cannot switch yourself off" in page_text(response)
    ada.refresh_from_db()
    assert ada.is_active
    assert not entries().exists()


def test_details_have_bounds(ada: User) -> None:
    entry = entry_of(ada, long="x" * 100_000, many=list(range(10_000)), none=None)
    assert len(entry.details["long"]) == MAX_VALUE
    assert len(entry.details["many"]) < 100
    assert entry.details["none"] is None


def test_whoever_comes_in_is_written_down_if_they_work_here(ada: User, owner: User) -> None:
    for user in (ada, owner):
        signed_in = Client().post(
            "/accounts/login/",
            {"login": user.email, "password": "correct horse battery staple"},
            REMOTE_ADDR="192.0.2.7",
        )
        assert signed_in.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.address) == (AuditAction.SIGN_IN, ada.pk, "192.0.2.7")


def test_the_log_is_read_by_who_did_it_by_what_it_was_done_to_and_by_session(
    admin: Client, ada: User, rows: Rows
) -> None:
    member = rows.make(Member, "")
    admin.post(reverse("admin:live_sessions_member_remove", args=[member.pk]), {"confirmed": "yes"})
    entry_of(ada)
    listed = "/admin/live_sessions/auditentry/"
    entry = AuditEntry.objects.get(action=AuditAction.MEMBER_REMOVE)
    for query in ({"session": str(member.session_id)}, {"target": str(member.pk)}, {"action__exact": "member.remove"}):
        assert [each.pk for each in admin.get(listed, query).context["cl"].result_list] == [entry.pk], query
    today = timezone.now().date().isoformat()
    for query in ({"actor": str(ada.pk)}, {"q": "ada@"}, {"created_at_from": today}):
        assert len(admin.get(listed, query).context["cl"].result_list) == 3, query
    page = page_text(admin.get(f"{listed}{entry.pk}/change/"))
    assert "Removed a member" in page
    assert "role: editor" in page
    assert admin.post(f"{listed}{entry.pk}/change/", {"actor_label": "x"}).status_code == 403
    assert admin.post(f"{listed}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
