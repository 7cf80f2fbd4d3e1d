"""Who works in the admin panel: Ada, who may do everything, and Stan, who is given what a test is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from sessions.models import User


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    """A superuser."""
    return make_user("Ada", is_staff=True, is_superuser=True)


@pytest.fixture
def admin(ada: User, signed_in: Callable[..., Client]) -> Client:
    """Ada's browser."""
    return signed_in(ada)


@pytest.fixture
def stan(make_user: Callable[..., User]) -> Callable[..., User]:
    """Makes Stan, who comes into the panel with the permissions that are named (`app.codename`)."""

    def make(*permissions: str) -> User:
        user = make_user("Stan", is_staff=True)
        for name in permissions:
            app, _, codename = name.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return user

    return make


def page_text(response: Any) -> str:
    text: str = response.content.decode()
    return text
