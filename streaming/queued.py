"""For `/metrics`: how many streams wait for a worker. It is asked of the database, and so by one process for all."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from sessions.outages import DATABASE_AWAY
from streaming.models import Stream, StreamStatus


class StreamsQueued(Collector):
    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while it is registered."""
        yield _queued()

    def collect(self) -> Iterable[Metric]:
        """Not a number where it is not known."""
        try:
            count: float = Stream.objects.filter(status=StreamStatus.QUEUED).count()
        except DATABASE_AWAY:
            count = math.nan
        yield _queued(count)


def _queued(count: float | None = None) -> Metric:
    return GaugeMetricFamily("hanzo_live_streams_queued", "Streams that wait for a worker.", value=count)
