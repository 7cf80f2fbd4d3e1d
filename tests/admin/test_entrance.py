"""Who is let into the panel, what each of them sees there, and what its pages may load."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib import admin as panel
from django.test import Client
from django.urls import reverse

from sessions.models import ApiToken, LiveSession, User
from tests.admin.conftest import page_text
from tests.admin.test_lists import MODELS, list_of


def test_nobody_signs_in_at_the_panel_itself(db: None) -> None:
    response = Client().get("/admin/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    assert "csrfmiddlewaretoken" in page_text(response)
    posted = Client().post("/admin/login/", {"username": "ada@example.com", "password": "guess"})
    assert posted.headers["Location"].startswith("/accounts/login/")


def test_somebody_without_rights_gets_a_page_that_says_so(
    owner: User, live_session: LiveSession, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(owner)
    for address in ("/admin/", list_of(LiveSession), "/admin/nothing/"):
        response = client.get(address, follow=True)
        assert response.status_code == 403
        assert "You may not see this" in page_text(response)
        assert "The plan" not in page_text(response)


def test_staff_without_a_permission_see_and_do_nothing(
    stan: Callable[..., User], live_session: LiveSession, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(stan())
    start = page_text(client.get("/admin/"))
    for model in MODELS:
        assert client.get(list_of(model)).status_code == 403
        assert f'href="{list_of(model)}"' not in start
    for model, model_admin in panel.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for action in getattr(model_admin, "row_actions", ()):
            address = reverse(f"admin:{name}_{action.name}", args=[live_session.pk])
            assert client.get(address).status_code == client.post(address, {"confirmed": "yes"}).status_code == 403


def test_staff_see_what_they_are_given_and_no_more(
    stan: Callable[..., User], live_session: LiveSession, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(stan("live_sessions.view_livesession", "live_sessions.end_livesession"))
    start = page_text(client.get("/admin/"))
    assert f'href="{list_of(LiveSession)}"' in start
    assert f'href="{list_of(ApiToken)}"' not in start
    assert client.get(list_of(ApiToken)).status_code == 403
    page = page_text(client.get(reverse("admin:live_sessions_livesession_change", args=[live_session.pk])))
    assert f"/livesession/{live_session.pk}/end/" in page
    assert f"/livesession/{live_session.pk}/delete/" not in page
    listed = page_text(client.get(list_of(LiveSession)))
    assert '<option value="end">' in listed
    assert '<option value="delete">' not in listed


def test_somebody_who_was_switched_off_or_lost_the_right_is_out_at_once(ada: User, admin: Client) -> None:
    assert admin.get("/admin/").status_code == 200
    User.objects.filter(pk=ada.pk).update(is_staff=False)
    assert admin.get("/admin/", follow=True).status_code == 403
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_active=False)
    assert admin.get("/admin/").status_code == 302


def test_the_panel_leads_back_to_the_app_and_to_ones_own_account(admin: Client) -> None:
    page = page_text(admin.get("/admin/"))
    assert "Hanzo Live" in page
    assert 'href="/"' in page
    assert admin.get("/admin/password_change/").headers["Location"] == "/accounts/password/change/"
    assert admin.get("/admin/logout/").status_code == 405
    assert admin.post("/admin/logout/").headers["Location"] == "/"
    assert admin.get("/admin/").status_code == 302


@pytest.mark.parametrize("address", ["/admin/", "/admin/live_sessions/livesession/", "/admin/live_sessions/user/add/"])
def test_the_panel_loads_files_of_ours_alone_and_no_other_page_is_weaker_for_it(admin: Client, address: str) -> None:
    response = admin.get(address)
    policy = dict(part.strip().split(" ", 1) for part in response["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == policy["connect-src"] == policy["font-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    page = page_text(response)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<style" not in page
    assert "onclick" not in page
    assert "unsafe-eval" not in admin.get("/accounts/profile/")["Content-Security-Policy"]
    assert "unsafe-eval" not in admin.get("/")["Content-Security-Policy"]


def test_the_panels_files_are_served_from_here(admin: Client) -> None:
    from django.contrib.staticfiles import finders

    page = page_text(admin.get("/admin/live_sessions/livesession/"))
    names = {part.split('"')[0] for part in page.split('"/static/')[1:]}
    assert {"unfold/css/styles.css", "unfold/js/alpine/alpine.js", "admin/panel.css", "admin/panel.js"} <= names
    assert [name for name in names if finders.find(name) is None] == []
