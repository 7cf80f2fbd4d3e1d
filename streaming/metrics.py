"""What Prometheus is told of streams. Counted where it happens: in the workers, and of the cache where it is asked."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STREAMS_ACTIVE = Gauge(
    "hanzo_live_streams_active", "Streams that this worker carries now.", multiprocess_mode="livesum"
)
STREAMS = Counter("hanzo_live_streams_total", "Streams that ended, by how.", ["status"])
TOKENS = Counter("hanzo_live_tokens_total", "Tokens that models wrote.")
ERRORS = Counter("hanzo_live_errors_total", "Streams that failed, by error code.", ["code"])
CACHE_LOOKUPS = Counter(
    "hanzo_live_cache_lookups_total", "Questions looked up in the cache, by what was found.", ["found"]
)
CACHE_ENTRIES = Gauge("hanzo_live_cache_entries", "Answers that the cache holds.")
RETRIES = Counter("hanzo_live_retries_total", "Times a node that had failed a stream was asked again.")
TAKEOVERS = Counter("hanzo_live_takeovers_total", "Streams taken over from a worker that was lost.")
WEBHOOKS = Counter("hanzo_live_webhooks_total", "Tries to send a webhook, by what came of it.", ["result"])
LATENCY_MS = Histogram(
    "hanzo_live_latency_ms",
    "Milliseconds from a stream's start to its first token.",
    buckets=(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000),
)
