"""What the hub counts for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

from hanzo_live.protocol import CloseCode

SOCKETS = Gauge("hanzo_live_sockets", "Open sockets.", multiprocess_mode="livesum")
CONNECTIONS = Counter("hanzo_live_connections_total", "Sockets accepted since the process started.")
REFUSED = Counter("hanzo_live_connections_refused_total", "Sockets refused, by close code.", ["code"])
FRAMES_SENT = Counter("hanzo_live_frames_sent_total", "Event frames handed to sockets in shared rounds.")
CAUGHT_UP = Counter("hanzo_live_catch_ups_total", "Times that one socket was brought forward by itself.")
GAPS_REPAIRED = Counter(
    "hanzo_live_gaps_repaired_total", "Times that a log was read again because an event was missing."
)
FRAMES_MADE = Counter("hanzo_live_frames_made_total", "Event frames encoded, each for all sockets of a view.")
TOKENS_FRAMED = Counter("hanzo_live_tokens_framed_total", "Tokens in the frames made: by frame, how many were merged.")
LAG_MS = Histogram(
    "hanzo_live_fanout_lag_ms",
    "Milliseconds from an event's entry into the log to its frame at the sockets of a view.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 5_000),
)
SLOW_SOCKETS = Counter("hanzo_live_slow_sockets_total", "Times that a socket took less than came, and fell behind.")

for code in CloseCode:
    REFUSED.labels(code=str(int(code)))
