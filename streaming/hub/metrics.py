"""What the hub counts for Prometheus."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("hanzo_live_sockets", "Open sockets.", multiprocess_mode="livesum")
CONNECTIONS = Counter("hanzo_live_connections_total", "Sockets accepted since the process started.")
REFUSED = Counter("hanzo_live_connections_refused_total", "Sockets refused, by close code.", ["code"])
FRAMES_SENT = Counter("hanzo_live_frames_sent_total", "Event frames handed to sockets in shared rounds.")
CAUGHT_UP = Counter("hanzo_live_catch_ups_total", "Times that one socket was brought forward by itself.")
GAPS_REPAIRED = Counter(
    "hanzo_live_gaps_repaired_total", "Times that a log was read again because an event was missing."
)
