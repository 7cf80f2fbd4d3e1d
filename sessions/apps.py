"""The app `sessions`. Its label differs because `django.contrib.sessions` owns that one."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class SessionsConfig(AppConfig):
    name = "sessions"
    label = "live_sessions"
    verbose_name = "Live sessions"

    def ready(self) -> None:
        from sessions import receivers

        receivers.connect()
        post_migrate.connect(_after_migrate, sender=self, dispatch_uid="sessions.search")


def _after_migrate(sender: Any, using: str, **_: Any) -> None:
    from sessions import search_schema

    search_schema.repair(connections[using])
