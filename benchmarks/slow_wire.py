"""A way to a port of 127.0.0.1 that becomes slow: then every byte comes in its order, half of `delay` later each way.

`python -m benchmarks.slow_wire`, JSON lines on both pipes: task → "ready" with its own port; a line makes it slow, another
one (or the harness' end) ends it.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks.lines import read_task, say


@dataclass
class Way:
    """How slow it is now, in seconds, in one direction. It only grows, so what was sent later arrives later."""

    delay: float = 0.0


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
    """Writes what comes, each piece as much later as the way is slow, and then the end."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take() -> None:
        while piece := await reader.read(65536):
            pieces.put_nowait((loop.time() + way.delay, piece))
        pieces.put_nowait((loop.time() + way.delay, b""))

    taker = asyncio.create_task(take())
    try:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not piece:
                writer.write_eof()  # the other direction may go on
                return
            writer.write(piece)
            await writer.drain()
    finally:
        taker.cancel()


async def serve(task: dict[str, Any]) -> None:
    way = Way()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", task["port"])
        with suppress(ConnectionError):
            await asyncio.gather(forward(reader, far_writer, way), forward(far_reader, writer, way))
        far_writer.close()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1")
    say("ready", port=server.sockets[0].getsockname()[1])
    harness = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(harness), sys.stdin)
    await harness.readline()
    way.delay = task["delay"] / 2
    await harness.readline()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(read_task()))
