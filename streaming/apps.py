"""The app `streaming`."""

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"

    def ready(self) -> None:
        from streaming import operations, outbox
        from streaming.sockets import drafts, revocation

        outbox.connect()
        revocation.connect()
        drafts.connect()
        operations.connect()
