"""Waiting for storage that is away: what a stream has is kept in memory meanwhile, and nothing is decided without it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sessions.outages import DATABASE_AWAY
from streaming.database import in_db
from streaming.runner.stream_writer import RETRY_DELAYS_S

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


async def in_db_at_last(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `in_db`, however long the database is away. For what may be done twice: its answer may have been lost."""
    attempt = 0
    while True:
        try:
            return await in_db(function, *args, **kwargs)
        except DATABASE_AWAY as error:
            if attempt == 0:
                logger.warning("A stream waits for the database: %s", error)
            await pause(attempt)
            attempt += 1


async def pause(attempt: int) -> None:
    """Wait before the next try of what only waits for storage."""
    await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
