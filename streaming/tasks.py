"""The Celery tasks. Thin: what they do is `worker`'s and `duties`'.

`hanzolive.celery` configures the app; what beat sends is `schedule`.
"""

from __future__ import annotations

from typing import Any

from celery import shared_task, signals
from celery.exceptions import Reject

from streaming import queueing, schedule
from streaming.notices import delivering
from streaming.runner import worker


@shared_task(name=queueing.RUN_STREAM, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def run_stream(stream_id: str) -> None:
    """Carry a stream to its end. One that is carried already, or over, is nobody's work: returns at once."""
    try:
        worker.process().carry(stream_id)
    except worker.Draining:
        raise Reject("This worker ends; another one takes the stream.", requeue=True) from None


@shared_task(name=schedule.TRIM_LOGS, ignore_result=True)  # type: ignore[untyped-decorator]
def trim_logs() -> int:
    """See `duties.trim_logs`."""
    return worker.process().trim_logs()


@shared_task(name="notices.deliver", bind=True, max_retries=None, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def deliver_notice(self: Any, pk: int) -> None:
    """Bring a notice where it goes; later again where it is not taken. Carried beside the mails."""
    wait = delivering.deliver(pk)
    if wait is not None:
        raise self.retry(countdown=wait + 1)


@shared_task(name=schedule.SWEEP_NOTICES, ignore_result=True)  # type: ignore[untyped-decorator]
def sweep_notices() -> int:
    """See `delivering.sweep`."""
    return delivering.sweep()


def _begin(instance: Any, **_: Any) -> None:
    # One that carries other queues only is no worker of streams: it gives no sign of life and takes nothing over.
    if instance.app.conf.task_default_queue in instance.app.amqp.queues.consume_from:
        worker.process().start(slots=instance.concurrency)


def _drain(**_: Any) -> None:
    worker.process().drain()


def _end(**_: Any) -> None:
    worker.process().stop()


signals.celeryd_after_setup.connect(_begin)
signals.worker_shutting_down.connect(_drain)
signals.worker_shutdown.connect(_end)
