"""The Celery app `hanzolive`: how tasks travel. What they do is `streaming.tasks`; when they recur is said there too."""

from __future__ import annotations

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hanzolive.settings")

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings
from prometheus_client import start_http_server

from hanzolive.beat import beat_beside_mails
from hanzolive.broker import Messages
from hanzolive.cli.readiness import say_ready
from hanzolive.counting import VARIABLE
from hanzolive.queues import MAILS, STREAMS
from hanzolive.threads import hand_over_quickly
from streaming.schedule import BEAT_SCHEDULE

app = Celery("hanzolive", amqp=Messages)
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        # Longer than any stream: a task that is redelivered while it runs would start a second copy.
        "visibility_timeout": 3600,
        "global_keyprefix": "hanzo-live:celery:",
        "socket_keepalive": True,
        # A broker that is down is found out at once: the stream is saved, and the reaper sends its task later.
        "max_retries": 1,
        "interval_start": 0.1,
    },
    broker_pool_limit=20,
    accept_content=["json"],
    task_serializer="json",
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue=STREAMS,
    task_routes={"sessions.*": {"queue": MAILS}, "notices.*": {"queue": MAILS}},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule=BEAT_SCHEDULE,
    beat_schedule_filename=str(settings.DATA_DIR / "beat-schedule"),
)
app.autodiscover_tasks(["streaming", "sessions"])


def keep_our_logging(**_: Any) -> None:
    """Connected, so that Celery leaves the logging as the settings have made it."""


def tell_figures(**_: Any) -> None:
    """In a place of its own nobody else tells what this process counts (`hanzolive.counting`)."""
    if settings.METRICS_PORT and VARIABLE not in os.environ:
        start_http_server(settings.METRICS_PORT)


def tell_supervisor(**_: Any) -> None:
    # What is loaded by now lives as long as the process: no collection need walk over it, the last one at exit included.
    gc.freeze()
    hand_over_quickly()
    say_ready()


setup_logging.connect(keep_our_logging)
worker_ready.connect(beat_beside_mails)
worker_ready.connect(tell_figures)
worker_ready.connect(tell_supervisor)
