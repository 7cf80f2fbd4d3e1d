"""The queues in which Celery's tasks wait, by who carries them. Loads nothing: the supervisor reads it too."""

from __future__ import annotations

# By the workers. Each of a worker's slots waits with one stream, for as long as that takes.
STREAMS = "streams"
# By the housekeeper, so that a mail neither waits behind streams nor takes their slots.
MAILS = "mails"
