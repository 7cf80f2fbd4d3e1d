"""What every test stands on: a real Valkey of its own, a data folder of its own, and a cast of four.

Valkey is started when this file is imported, before Django's settings are: they read its address.
DATABASE_URL is kept from the environment, so that the same tests run on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import hypothesis
import pytest

from hanzolive.options import OPTIONS
from tests.valkey import start_valkey

DATA_DIR = Path(tempfile.mkdtemp(prefix="hanzo-live-tests-"))
(DATA_DIR / "static").mkdir()
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
VALKEY = start_valkey(DATA_DIR)
atexit.register(VALKEY.stop)

for option in OPTIONS:
    if option.name != "DATABASE_URL":
        os.environ.pop(option.name, None)
os.environ.update(
    DJANGO_SETTINGS_MODULE="hanzolive.settings",
    DATA_DIR=str(DATA_DIR),
    REDIS_URL=VALKEY.url,
    SECRET_KEY="for tests only, and long enough to be one",
)
django.setup()

# No test asserts a time: on a busy machine an example may take any.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_xdist_setupnodes() -> None:
    """Tests run side by side in processes of their own: each starts its Valkey before it reads the settings."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


DATABASE_FIXTURES = {"db", "transactional_db", "django_db_serialized_rollback", "django_db_reset_sequences"}


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that touch the database: pytest-django keeps all others from it."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("django_db") or not DATABASE_FIXTURES.isdisjoint(fixtures):
            item.add_marker("database")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file: threads and other processes share it as they do outside of tests; in memory they cannot."""
    from django.db import connections

    database = connections["default"].settings_dict
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(DATA_DIR / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database; at the end it goes, whatever connections the program's threads keep to it."""
    from django.db import connection

    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Hashing passwords slowly is the library's behaviour, not ours, and most of the time of a test that signs in."""
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def _empty_valkey() -> None:
    """Logs, tickets and rate limits of one test are not there in the next."""
    VALKEY.empty()


@pytest.fixture
def redis_url() -> str:
    """The Valkey of this run."""
    return VALKEY.url


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent."""
    from celery import current_app

    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


PASSWORD = "correct horse battery staple"


@pytest.fixture
def make_user(db: None) -> Callable[..., Any]:
    """Makes a user by first name; the e-mail address is `<name>@example.com`, the password is PASSWORD."""
    from sessions.models import User

    def make(name: str, **fields: Any) -> User:
        return User.objects.create_user(f"{name.lower()}@example.com", PASSWORD, name=name, **fields)

    return make


@pytest.fixture
def owner(make_user: Callable[..., Any]) -> Any:
    return make_user("Olga")


@pytest.fixture
def teammate(make_user: Callable[..., Any]) -> Any:
    """An editor of `live_session`."""
    return make_user("Tariq")


@pytest.fixture
def viewer(make_user: Callable[..., Any]) -> Any:
    return make_user("Vera")


@pytest.fixture
def outsider(make_user: Callable[..., Any]) -> Any:
    """Has an account, and is a member of nothing."""
    return make_user("Otto")


@pytest.fixture
def live_session(owner: Any, teammate: Any, viewer: Any) -> Any:
    """`the-plan`, with its three members."""
    from sessions.membership import add_member
    from sessions.models import Role
    from sessions.services import create_session

    session = create_session(owner, title="The plan", slug="the-plan")
    add_member(session, owner, teammate, Role.EDITOR)
    add_member(session, owner, viewer, Role.VIEWER)
    return session


@pytest.fixture
def signed_in() -> Callable[..., Any]:
    """A browser in which `user` is signed in; with `csrf=True` one that is checked for CSRF as real ones are."""
    from django.test import Client

    def sign_in(user: Any, *, csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(user)
        return client

    return sign_in
