"""Log lines of every process: one line per event, words first, the same shape from Django, Celery and us."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from hanzolive.redaction import hide_secrets


def configure_logging(*, debug: bool, testing: bool = False) -> None:
    """Route the standard library's loggers through structlog's renderer to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=not testing,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Plain: the richer formatters print local variables, and with them people's texts and tokens.
                structlog.dev.ConsoleRenderer(
                    colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
                ),
                _without_secrets,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for noisy in (
        "httpx",
        "httpx2",
        "httpcore",
        "daphne",
        "kombu",
        "amqp",
        "asyncio",
        "django.channels.server",
        "celery.app.trace",
        "celery.worker.strategy",
    ):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _without_secrets(logger: Any, method: str, line: Any) -> str:
    """The last processor: the whole line as it is written, with its traceback."""
    return hide_secrets(str(line))
