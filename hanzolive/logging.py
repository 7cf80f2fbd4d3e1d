"""Log lines of every process: one line per event, words first, the same shape from Django, Celery and us."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from hanzolive.redaction import hide_secrets


def configure_logging(*, debug: bool, as_json: bool = False, testing: bool = False) -> None:
    """Route the standard library's loggers through structlog's renderer to standard error.

    A line names what it is about where that is known (structlog's context): `request`, by `hanzolive.request_ids`, and
    `stream`, by the worker.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True)
        if as_json
        else structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
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
                *(_JSON if as_json else _text()),
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


# Plain tracebacks in both: the richer ones hold local variables, and with them people's texts and tokens.
_JSON: tuple[Any, ...] = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False))


def _text() -> tuple[Any, ...]:
    colors = sys.stderr.isatty()
    return (structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback),)


def _without_secrets(logger: Any, method: str, line: Any) -> str:
    """The last processor: the whole line as it is written, with its traceback."""
    return hide_secrets(str(line))
