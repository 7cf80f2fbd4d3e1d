"""How Celery comes back to a broker that was away."""

from __future__ import annotations

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection

# kombu's own pauses grow to 30 s: so long a worker would take no streams after a Redis that was away for a moment.
PAUSES_S = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 1.0}


class Broker(Connection):
    """kombu's, which looks at least once a second whether the broker is back."""

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Any:
        return super().ensure_connection(*args, **{**PAUSES_S, **kwargs})  # type: ignore[no-untyped-call]


class Messages(AMQP):  # type: ignore[misc]  # nor has Celery
    Connection = BrokerConnection = Broker
