"""How long a tool may take: a tool that tells of progress is not given up for being slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from streaming.tools.specs import Told

T = TypeVar("T")

# However much progress a tool tells of.
MOST_TIMEOUTS = 20


async def while_it_tells(
    run: Callable[[Callable[[Told], None]], Awaitable[T]], *, limit_s: float, tell: Callable[[Told], None]
) -> T:
    """What `run` gives. It may be silent for `limit_s` seconds; what it tells extends that, up to twenty times.

    `run` gets the function that it tells with, which passes it on to `tell` until the tool is over. For the loop's thread.
    Raises TimeoutError.
    """
    loop = asyncio.get_running_loop()
    last = loop.time() + MOST_TIMEOUTS * limit_s
    over = False
    try:
        async with asyncio.timeout(limit_s) as limit:

            def told(what: Told) -> None:
                if over or limit.expired():
                    return  # a thread that was given up may go on talking
                limit.reschedule(min(last, loop.time() + limit_s))
                tell(what)

            return await run(told)
    finally:
        over = True
