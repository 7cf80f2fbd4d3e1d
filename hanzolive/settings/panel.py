"""unfold's settings: the admin panel's name, navigation and marks. What it does is `hanzolive.admin_site`'s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

Permission = Callable[[HttpRequest], bool]


def _list(title: str, icon: str, model: str, permission: Permission | None = None) -> dict[str, Any]:
    app, _, name = model.partition(".")

    def may_view(request: HttpRequest) -> bool:
        from hanzolive import admin_site  # not at import: the settings come before the rows

        return admin_site.may_view(request, app, name)

    link = reverse_lazy(f"admin:{app}_{name}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": permission or may_view}


def _gives_rights(request: HttpRequest) -> bool:
    from hanzolive import admin_site

    return admin_site.gives_rights(request)


NAVIGATION = [
    {
        "items": [
            {
                "title": "Back to the app",
                "icon": "arrow_back",
                "link": reverse_lazy("home"),
                "active": lambda request: False,
            },
            {"title": "Dashboard", "icon": "monitoring", "link": reverse_lazy("admin:index")},
        ],
    },
    {
        "title": "People",
        "items": [
            _list("Users", "person", "live_sessions.user"),
            _list("Groups", "group", "auth.group", _gives_rights),
            _list("API tokens", "key", "live_sessions.apitoken"),
        ],
    },
    {
        "title": "Sessions",
        "items": [
            _list("Sessions", "forum", "live_sessions.livesession"),
            _list("Members", "badge", "live_sessions.member"),
            _list("Invitations", "mail", "live_sessions.invitation"),
            _list("Messages", "chat", "live_sessions.message"),
        ],
    },
    {
        "title": "Streams",
        "items": [
            _list("Streams", "stream", "streaming.stream"),
            _list("Tool calls", "construction", "streaming.toolcall"),
            _list("Workers", "memory", "streaming.worker"),
        ],
    },
    {
        "title": "Operations",
        "items": [
            _list("Audit log", "history", "live_sessions.auditentry"),
            _list("Outbox", "outbox", "live_sessions.outboxrow"),
            _list("Webhook notices", "webhook", "streaming.notice"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Hanzo Live",
    "SITE_HEADER": "Hanzo Live",
    "SITE_URL": reverse_lazy("home"),
    "SITE_ICON": lambda request: static("favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}],
    "SCRIPTS": [lambda request: static("admin/panel.js")],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "ACCOUNT": {
        "navigation": [
            {"title": "Your account", "link": reverse_lazy("profile")},
        ],
    },
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
