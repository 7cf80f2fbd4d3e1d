"""Database calls of sockets: on an executor of their own, so that they never wait behind page views."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

# Each thread keeps one connection: at most this many a process.
THREADS = 8


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="socket-db")


async def in_db(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`function`'s result, run in a thread with a database connection. Its exceptions come through."""
    return await asyncio.get_running_loop().run_in_executor(
        _executor(), partial(_call, partial(function, *args, **kwargs))
    )


def _call(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()
