"""The pages that Django serves: coming in, the app's shell, and what is said when something is wrong."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from hanzolive import bundle
from hanzolive.bundle import BundleMissing, entry
from sessions.accounts import is_setup_token, new_setup_token
from sessions.models import LiveSession, User

PASSWORD = "correct horse battery staple"
MANIFEST = {
    "src/app.tsx": {"file": "assets/app-1.js", "css": ["assets/app-1.css"], "imports": ["_shared.js"], "isEntry": True},
    "_shared.js": {"file": "assets/shared-1.js", "css": ["assets/shared-1.css"], "imports": ["_react.js"]},
    "_react.js": {"file": "assets/react-1.js"},
    "src/styles/site.css": {"file": "assets/site-1.css", "isEntry": True},
    "src/theme/theme.ts": {"file": "assets/theme-1.js", "isEntry": True},
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle's manifest, as Vite writes it."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    monkeypatch.setattr(bundle.entry, "__defaults__", (path,))
    return path


@pytest.fixture
def not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle.entry, "__defaults__", (tmp_path / "manifest.json",))


def config_of(response: Any) -> dict[str, Any]:
    found = re.search(r'<script id="live-config" type="application/json">(.*?)</script>', response.content.decode())
    assert found
    config: dict[str, Any] = json.loads(found[1])
    return config


# Coming in --------------------------------------------------------------------------------------------------------


def sign_up(client: Client, **fields: str) -> Any:
    form = {"name": "Nina", "email": "Nina@Example.com", "password1": PASSWORD}
    return client.post("/accounts/signup/", {**form, **fields})


def test_somebody_signs_up_signs_out_and_signs_in(db: None, built: Path) -> None:
    client = Client()
    page = client.get("/accounts/signup/").content.decode()
    assert all(f'name="{name}"' in page for name in ("name", "email", "password1", "csrfmiddlewaretoken"))
    assert sign_up(client).headers["Location"] == "/"
    user = User.objects.get()
    assert (user.name, user.email, user.is_staff) == ("Nina", "nina@example.com", False)
    assert config_of(client.get("/"))["user"]["name"] == "Nina"
    client.post("/accounts/logout/")
    assert "live-config" not in client.get("/").content.decode()
    response = client.post("/accounts/login/", {"login": "NINA@example.com", "password": PASSWORD})
    assert response.headers["Location"] == "/"
    assert config_of(client.get("/"))["user"]["email"] == "nina@example.com"


@pytest.mark.parametrize("page", ["signup", "login", "password/reset"])
def test_the_pages_for_coming_in_call_things_what_the_others_call_them(db: None, page: str) -> None:
    text = Client().get(f"/accounts/{page}/").content.decode()
    assert re.search(r"<label [^>]*>E-mail</label>", text)
    assert not re.search(r"Email|Sign In|Sign Up|:</label>|placeholder=", text)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 121},
        {"name": "a\0"},
        {"email": "no"},
        {"password1": "short"},
    ],
)
def test_a_sign_up_that_lacks_something_is_shown_again_with_the_reason(db: None, fields: dict[str, str]) -> None:
    response = sign_up(Client(), **fields)
    assert response.status_code == 200
    assert 'class="hl-error"' in response.content.decode()
    assert not User.objects.exists()


def test_one_address_has_one_account(owner: User) -> None:
    assert 'class="hl-error"' in sign_up(Client(), email="OLGA@example.com").content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/nowhere"])
def test_the_theme_is_decided_before_anything_is_painted(
    db: None, built: Path, signed_in: Callable[..., Client], owner: User, path: str
) -> None:
    for client in (Client(), signed_in(owner)):
        page = client.get(path, follow=True).content.decode()
        head, _, _ = page.partition("</head>")
        # No module, nor deferred: those run when the page is there already.
        assert '<script src="/static/app/assets/theme-1.js"></script>' in head


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_where_sign_up_is_not_open_nobody_signs_up_and_is_told_whom_to_ask(
    db: None, settings: Settings, mode: str
) -> None:
    settings.SIGNUP = mode
    for response in (Client().get("/accounts/signup/"), sign_up(Client())):
        assert "Ask one of them" in response.content.decode()
    assert not User.objects.exists()
    assert "/accounts/signup/" not in Client().get("/").content.decode()


def test_guessing_passwords_is_slowed_down(owner: User) -> None:
    client = Client()
    answers = [
        client.post("/accounts/login/", {"login": owner.email, "password": f"guess {number}"}) for number in range(12)
    ]
    assert "too many" in answers[-1].content.decode().lower()
    right = client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    assert right.status_code != 302


def test_a_password_is_changed_and_reset(owner: User, signed_in: Callable[..., Client], worker: None) -> None:
    new = "an entirely new one"
    changed = signed_in(owner).post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )
    assert changed.status_code == 302
    client = Client()
    client.post("/accounts/password/reset/", {"email": owner.email})
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    assert link
    page = client.get(link[1], follow=True)
    done = client.post(page.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    assert client.login(email=owner.email, password=PASSWORD)


@pytest.mark.parametrize(
    "path",
    [
        "login",
        "signup",
        "password/reset",
        "password/reset/done",
        "inactive",
        "logout",
        "password/change",
        "email",
        "confirm-email",
        "confirm-email/wrong",
        "reauthenticate",
    ],
)
def test_the_pages_of_accounts_have_our_look(
    owner: User, signed_in: Callable[..., Client], built: Path, path: str
) -> None:
    client = (
        Client()
        if path in ("login", "signup", "password/reset", "password/reset/done", "inactive")
        else signed_in(owner)
    )
    page = client.get(f"/accounts/{path}/").content.decode()
    assert 'href="/static/app/assets/site-1.css"' in page
    assert "Hanzo Live" in page
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/app/assets/theme-1.js">']


# The app's pages --------------------------------------------------------------------------------------------------


def test_the_shell_names_the_bundle_and_who_is_there(
    owner: User, live_session: LiveSession, signed_in: Callable[..., Client], built: Path
) -> None:
    response = signed_in(owner).get("/s/the-plan")
    page = response.content.decode()
    assert '<script type="module" src="/static/app/assets/app-1.js"></script>' in page
    assert page.index("shared-1.css") < page.index("app-1.css")
    assert '<link rel="modulepreload" href="/static/app/assets/react-1.js">' in page
    config = config_of(response)
    assert config["user"] == {
        "id": str(owner.pk),
        "name": "Olga",
        "avatar": None,
        "email": "olga@example.com",
        "is_admin": False,
    }
    assert config["session"] == {"id": str(live_session.pk), "slug": "the-plan", "title": "The plan"}
    assert config["urls"]["admin"] is None
    assert response.cookies["csrftoken"].value
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_a_name_cannot_break_out_of_the_config(
    make_user: Callable[..., User], signed_in: Callable[..., Client], built: Path
) -> None:
    user = make_user("Eve")
    user.name = "</script><script>alert(1)</script>"
    user.save()
    response = signed_in(user).get("/")
    assert "<script>alert" not in response.content.decode()
    assert config_of(response)["user"]["name"] == user.name


def test_the_page_of_others_session_is_that_of_none(
    outsider: User, live_session: LiveSession, signed_in: Callable[..., Client], built: Path
) -> None:
    client = signed_in(outsider)
    pages = [client.get(f"/s/{ref}") for ref in ("the-plan", str(live_session.pk), "no-such", "%00")]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1


def test_who_is_not_signed_in_is_asked_to_and_comes_back(live_session: LiveSession) -> None:
    assert Client().get("/s/the-plan").headers["Location"] == "/accounts/login/?next=/s/the-plan"
    assert Client().get("/s/no-such").headers["Location"] == "/accounts/login/?next=/s/no-such"


def test_a_bundle_that_was_not_built_is_said_in_words(
    owner: User, signed_in: Callable[..., Client], not_built: None
) -> None:
    response = signed_in(owner).get("/")
    assert response.status_code == 503
    assert "make run" in response.content.decode()
    assert Client().get("/accounts/login/").status_code == 200


def test_a_bundle_that_is_built_anew_is_seen(built: Path) -> None:
    assert entry("src/app.tsx").scripts == ("app/assets/app-1.js",)
    changed = {**MANIFEST, "src/app.tsx": {"file": "assets/app-2.js"}}
    built.write_text(json.dumps(changed))
    os.utime(built, ns=(1, 1))
    assert entry("src/app.tsx").scripts == ("app/assets/app-2.js",)
    with pytest.raises(BundleMissing, match="not in the bundle"):
        entry("src/other.tsx")


# What went wrong --------------------------------------------------------------------------------------------------


def test_an_address_of_nothing_has_a_page(db: None) -> None:
    response = Client().get("/nothing")
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()


def test_an_old_form_is_told_what_to_do(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x", "password": "y"})
    assert response.status_code == 403
    assert "reload the page" in response.content.decode()


def test_a_foreign_host_name_is_refused(db: None) -> None:
    for path in ("/", "/v1/me"):
        assert Client().get(path, headers={"host": "evil.example"}).status_code == 400


def test_a_mistake_of_ours_has_a_page_without_its_inside(
    owner: User, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    from hanzolive import views

    def fail(*_: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(views, "app_config", fail)
    monkeypatch.setattr(views, "entry", lambda name: None)
    client = signed_in(owner)
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert "logged" in response.content.decode()
    assert "secret" not in response.content.decode()


# The first admin --------------------------------------------------------------------------------------------------

ADMIN = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}


def test_the_link_makes_the_first_admin_once(db: None, settings: Settings, tmp_path: Path, built: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.SIGNUP = "closed"
    token = new_setup_token()
    kept = tmp_path / "setup-token"
    assert token not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    client = Client()
    assert client.get(f"/setup/{token}").status_code == 200
    weak = client.post(f"/setup/{token}", {**ADMIN, "password": "12345678"})
    assert weak.status_code == 400
    assert not User.objects.exists()
    assert client.post(f"/setup/{token}", ADMIN).headers["Location"] == "/"
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.name) == (True, True, "Ada")
    assert config_of(client.get("/"))["urls"]["admin"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert not kept.exists()
    assert Client().get(f"/setup/{token}").status_code == 404


def test_a_link_ends_with_a_newer_one_and_with_the_first_account(
    db: None, settings: Settings, tmp_path: Path, make_user: Callable[..., User]
) -> None:
    settings.DATA_DIR = tmp_path
    old, new = new_setup_token(), new_setup_token()
    assert not is_setup_token(old)
    assert is_setup_token(new)
    make_user("Nina")
    assert not is_setup_token(new)
    for token in (old, new, "made-up"):
        response = Client().post(f"/setup/{token}", ADMIN)
        assert response.status_code == 404
        assert "does not work" in response.content.decode()
    assert User.objects.count() == 1


# The admin's pages ------------------------------------------------------------------------------------------------


def test_the_admin_finds_everything_and_shows_no_digest(
    make_user: Callable[..., User], live_session: LiveSession, signed_in: Callable[..., Client]
) -> None:
    from sessions.authentication import create_token
    from sessions.services import post_message

    admin = make_user("Ada", is_staff=True, is_superuser=True)
    token, _ = create_token(admin, "ci")
    post_message(live_session.pk, admin, "hello")
    client = signed_in(admin)
    for model in ("user", "livesession", "member", "message", "apitoken", "outboxrow"):
        response = client.get(f"/admin/live_sessions/{model}/?q=a")
        assert response.status_code == 200, model
        assert token.digest not in response.content.decode()
    shown = client.get(f"/admin/live_sessions/apitoken/{token.pk}/change/").content.decode()
    assert token.name in shown
    assert token.digest not in shown
    assert client.get("/admin/live_sessions/user/add/").status_code == 200
    assert client.get(f"/admin/live_sessions/user/{admin.pk}/change/").status_code == 200
