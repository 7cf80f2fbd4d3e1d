"""The app `streaming`."""

from django.apps import AppConfig
from prometheus_client import REGISTRY


class StreamingConfig(AppConfig):
    name = "streaming"

    def ready(self) -> None:
        from streaming import operations, outbox
        from streaming.cache import looking, purging
        from streaming.sockets import drafts, revocation

        outbox.connect()
        revocation.connect()
        drafts.connect()
        operations.connect()
        purging.connect()
        REGISTRY.register(looking.CacheEntries())
