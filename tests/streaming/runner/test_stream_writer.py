"""One stream's hand on the log leaves room for the others'."""

from __future__ import annotations

import asyncio

from streaming.log import Entry, LogWriter
from streaming.runner.stream_writer import StreamWriter


async def test_a_stream_with_thousands_of_entries_lets_another_one_through(redis_url: str) -> None:
    """Both share the worker's connection, on which all is answered in order."""
    log = LogWriter(redis_url)
    try:
        fast, slow = StreamWriter(log, "stream:fast", 1), StreamWriter(log, "stream:slow", 1)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(fast.write([Entry("token", "fast", "x", 1) for _ in range(5_000)]))
            await log.head("stream:fast")  # by now it is under way
            for _ in range(3):
                await slow.write([Entry("token", "slow", "y", 1)])
                assert not writing.done()
        assert (await log.head("stream:fast")).seq == 5_000
        assert (await log.head("stream:slow")).seq == 3
    finally:
        await log.close()
