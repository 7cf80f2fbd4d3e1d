"""The app `sessions`. Its label differs because `django.contrib.sessions` owns that one."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "sessions"
    label = "live_sessions"
    verbose_name = "Live sessions"

    def ready(self) -> None:
        from sessions import receivers

        receivers.connect()
