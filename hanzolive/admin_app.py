"""Django's admin as an app, with our site in it."""

from django.contrib.admin.apps import AdminConfig


class PanelConfig(AdminConfig):
    default_site = "hanzolive.admin_site.LiveAdminSite"
