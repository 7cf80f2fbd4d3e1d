"""What clients count for themselves, added to `/metrics`: what only they can see, as how long the way takes."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sessions.api.permissions import AnonymousWhereAllowed
from sessions.api.views import checked
from streaming import metrics
from streaming.api import bodies, shapes

for known in shapes.CLIENT_ERRORS:
    metrics.CLIENT_ERRORS.labels(known)  # there from the start


class ClientMetrics(APIView):
    permission_classes = [AnonymousWhereAllowed]

    @extend_schema(operation_id="client_metrics_add", request=shapes.ClientMetricsShape, responses={204: None})
    def post(self, request: Request) -> Response:
        """Add what a client counted since it last told. `@hanzo/live-client` does with `metrics: {enabled: true}`."""
        counted = checked(shapes.ClientMetricsShape, bodies.body_of(request))
        metrics.CLIENT_CONNECTIONS.inc(counted["connections"])
        metrics.CLIENT_RECONNECTS.inc(counted["reconnects"])
        metrics.CLIENT_TOKENS.inc(counted["tokens"])
        metrics.CLIENT_CACHE_HITS.inc(counted["cache_hits"])
        for status in ("complete", "failed"):
            metrics.CLIENT_STREAMS.labels(status).inc(counted[status])
        for code, number in counted["errors"].items():
            metrics.CLIENT_ERRORS.labels(code).inc(number)
        for value in counted["latency_ms"]:
            metrics.CLIENT_LATENCY_MS.observe(value)
        for value in counted["tokens_per_second"]:
            metrics.CLIENT_TOKENS_PER_SECOND.observe(value)
        return Response(status=204)
