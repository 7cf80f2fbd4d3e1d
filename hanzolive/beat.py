"""Celery's beat as a thread of the worker that carries mails. What it sends, and how often, is `streaming.schedule`.

Celery's own `-B` forks a process for it, which would outlive a worker that is killed.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

from celery import beat
from celery.signals import worker_shutdown

from hanzolive.queues import MAILS

logger = logging.getLogger(__name__)

# It ends between two looks at the clock.
LOOK_EVERY_S = 1.0


def beat_beside_mails(sender: Any, **_: Any) -> None:
    """For `worker_ready`: begin to beat, if this worker carries mails; end with the worker."""
    if MAILS not in sender.app.amqp.queues.consume_from:
        return
    service = beat.Service(sender.app, max_interval=LOOK_EVERY_S, remote_control=False)
    thread = threading.Thread(target=_beat, args=(service,), name="beat", daemon=True)
    thread.start()

    def stop(**_: Any) -> None:
        # Not the service's own wait: a beat that has failed never tells that it has stopped.
        service.stop()
        thread.join()

    worker_shutdown.connect(stop, weak=False)


def _beat(service: Any) -> None:
    try:
        service.start()
    except Exception:
        # A process without it would look well: the supervisor is to start another.
        logger.critical("The beat cannot go on; this process ends.", exc_info=True)
        os.kill(os.getpid(), signal.SIGTERM)
