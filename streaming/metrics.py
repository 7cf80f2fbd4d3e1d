"""What Prometheus is told of streams. Counted where it happens: in the workers, and of the cache where it is asked.

Each label value has its series from the start, so that the first failure is a change that an alert sees.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from hanzo_live.protocol.errors import ErrorCode

STREAMS_ACTIVE = Gauge("hanzo_live_streams_active", "Streams that workers carry now.", multiprocess_mode="livesum")
STREAMS = Counter("hanzo_live_streams_total", "Streams that ended, by how.", ["status"])
TOKENS = Counter("hanzo_live_tokens_total", "Tokens that models wrote.")
ERRORS = Counter("hanzo_live_errors_total", "Streams that failed, by error code.", ["code"])
CACHE_HITS = Counter("hanzo_live_cache_hits_total", "Questions that the cache answered, by how it knew them.", ["kind"])
CACHE_MISSES = Counter("hanzo_live_cache_misses_total", "Questions that the cache could not answer.")
RETRIES = Counter("hanzo_live_retries_total", "Times a node that had failed a stream was asked again.")
TAKEOVERS = Counter("hanzo_live_takeovers_total", "Streams taken over from a worker that was lost.")
WEBHOOKS = Counter("hanzo_live_webhooks_total", "Tries to send a webhook, by what came of it.", ["result"])
MILLISECONDS = (5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000)
LATENCY_MS = Histogram(
    "hanzo_live_latency_ms", "Milliseconds from a stream's start to its first token.", buckets=MILLISECONDS
)
OVERHEAD_MS = Histogram(
    "hanzo_live_first_token_overhead_ms",
    "Milliseconds of the latency that were not the node's: waiting, access checks, the log.",
    buckets=MILLISECONDS,
)
QUEUE_WAIT_MS = Histogram(
    "hanzo_live_queue_wait_ms", "Milliseconds that a stream waited until a worker took it.", buckets=MILLISECONDS
)
SPEEDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000)
TOKENS_PER_SECOND = Histogram("hanzo_live_tokens_per_second", "How fast nodes wrote their answers.", buckets=SPEEDS)
LOG_LENGTH = Histogram(
    "hanzo_live_log_length",
    "Entries in a log when a stream of it ended.",
    buckets=(10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000),
)
NODE_UP = Gauge("hanzo_live_node_up", "Whether a node answers (1) or not (0).", ["node"], multiprocess_mode="livemin")
NODE_CIRCUIT_OPEN = Gauge(
    "hanzo_live_node_circuit_open",
    "Whether a node failed so often that others are asked first (1).",
    ["node"],
    multiprocess_mode="livemax",
)
REDIS_MS = Histogram(
    "hanzo_live_redis_ms",
    "Milliseconds that Redis took for one round trip of the log.",
    buckets=(0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 500, 1_000, 5_000),
)

# What clients told of themselves: they may tell what they like, so it stands apart from what the server counts.
CLIENT_CONNECTIONS = Counter("hanzo_live_client_connections_total", "Connections, as clients count them.")
CLIENT_RECONNECTS = Counter("hanzo_live_client_reconnects_total", "Attempts of clients to come back after a cut.")
CLIENT_STREAMS = Counter("hanzo_live_client_streams_total", "Answers that clients read to their end.", ["status"])
CLIENT_ERRORS = Counter("hanzo_live_client_errors_total", "Answers that failed for clients, by error code.", ["code"])
CLIENT_TOKENS = Counter("hanzo_live_client_tokens_total", "Tokens of the answers that clients read.")
CLIENT_CACHE_HITS = Counter("hanzo_live_client_cache_hits_total", "Answers of clients that came from the cache.")
CLIENT_LATENCY_MS = Histogram(
    "hanzo_live_client_latency_ms", "Milliseconds from a client's asking to its first text.", buckets=MILLISECONDS
)
CLIENT_TOKENS_PER_SECOND = Histogram(
    "hanzo_live_client_tokens_per_second",
    "Speed of the answers that clients read.",
    buckets=SPEEDS,
)

for status in ("complete", "stopped", "failed"):
    STREAMS.labels(status)
for code in ErrorCode:
    ERRORS.labels(code.value)
for kind in ("exact", "semantic"):
    CACHE_HITS.labels(kind)
for result in ("sent", "failed", "given_up"):
    WEBHOOKS.labels(result)
for status in ("complete", "failed"):
    CLIENT_STREAMS.labels(status)
