"""The pages of one's own account that are not allauth's, and people's pictures."""

from __future__ import annotations

from django.urls import path, re_path

from sessions import profile_pages, token_pages
from sessions.iam import pages as iam_pages

urlpatterns = [
    path("accounts/profile/", profile_pages.profile, name="profile"),
    path("accounts/tokens/", token_pages.tokens, name="tokens"),
    path("accounts/connections/", iam_pages.connections, name="socialaccount_connections"),
    path("accounts/oidc/<slug:provider_id>/login/", iam_pages.begin, name="openid_connect_login"),
    path("accounts/oidc/<slug:provider_id>/login/callback/", iam_pages.come_back, name="openid_connect_callback"),
    re_path(r"^media/avatars/(?P<name>[0-9a-f]{32})\.webp$", profile_pages.picture, name="avatar"),
]
