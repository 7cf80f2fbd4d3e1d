"""The pages of one's own account that are not allauth's, and people's pictures."""

from __future__ import annotations

from django.urls import path, re_path

from sessions import profile_pages, token_pages

urlpatterns = [
    path("accounts/profile/", profile_pages.profile, name="profile"),
    path("accounts/tokens/", token_pages.tokens, name="tokens"),
    re_path(r"^media/avatars/(?P<name>[0-9a-f]{32})\.webp$", profile_pages.picture, name="avatar"),
]
