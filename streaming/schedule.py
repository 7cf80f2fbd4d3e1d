"""What Celery beat sends, and how often. Loads nothing: the app is configured before Django is."""

from __future__ import annotations

from typing import Any

TRIM_LOGS = "streaming.trim_logs"
TRIM_EVERY_S = 600.0
SWEEP_NOTICES = "notices.sweep"
SWEEP_EVERY_S = 30.0

# A duty that was not taken in time is left out: the next one is on its way.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "trim-logs": {"task": TRIM_LOGS, "schedule": TRIM_EVERY_S, "options": {"expires": TRIM_EVERY_S / 2}},
    "sweep-notices": {"task": SWEEP_NOTICES, "schedule": SWEEP_EVERY_S, "options": {"expires": SWEEP_EVERY_S / 2}},
}
