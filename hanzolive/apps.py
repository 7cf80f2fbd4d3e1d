"""The project as an app: its templates and static files, and the Celery app for every process that has Django."""

from __future__ import annotations

from django.apps import AppConfig


class HanzoLiveConfig(AppConfig):
    name = "hanzolive"

    def ready(self) -> None:
        """Tasks are sent by name through Celery's current app, from whatever thread: it must be ours."""
        from hanzolive import celery

        celery.app.set_default()
