"""What presence counts for Prometheus."""

from prometheus_client import Counter, Gauge

PEOPLE = Gauge(
    "hanzo_live_people_online", "People who have a session open, by web process.", multiprocess_mode="livesum"
)
FRAMES_SENT = Counter("hanzo_live_presence_frames_sent_total", "Presence frames handed to sockets.")
ANNOUNCED = Counter(
    "hanzo_live_presence_announced_total", "Announcements to the other processes, each of many changes."
)
SWEPT = Counter("hanzo_live_presence_swept_total", "Connections taken out because their process was gone.")
