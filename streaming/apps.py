"""The app `streaming`."""

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    name = "streaming"

    def ready(self) -> None:
        from streaming import metrics, operations, outbox
        from streaming.cache import looking, purging
        from streaming.sockets import drafts, revocation

        outbox.connect()
        revocation.connect()
        drafts.connect()
        operations.connect()
        purging.connect()
        metrics.CACHE_ENTRIES.set_function(looking.entries)
