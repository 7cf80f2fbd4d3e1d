"""The pages of this app that are no part of the browser's app; REST is in `api.urls`."""

from __future__ import annotations

from django.urls import path

from sessions import invitation_pages

urlpatterns = [
    path("invitations/<str:token>", invitation_pages.invitation, name="invitation"),
]
