"""Every address of the server, but for those that answer before all else (`probes`) and the socket (`asgi`)."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from hanzolive import views

urlpatterns = [
    path("", views.home, name="home"),
    # Where browsers look on pages that name no icon: the admin's, the API's.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")),
    path("s/<str:ref>", views.session, name="session"),
    path("setup/<str:token>", views.setup, name="setup"),
    path("", include("sessions.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
    path("", include("sessions.account_urls")),
    path("v1/", include("streaming.api.urls")),
    path("v1/", include("sessions.api.urls")),
    path("v1/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("v1/docs", SpectacularSwaggerView.as_view(url_name="openapi"), name="docs"),
]

handler400 = views.bad_request
handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.server_error
