"""What stands between the edge and the server: it remembers what the server said, and can cut every connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Relay:
    """One listener on a loop of its own. `port` is where it is."""

    def __init__(self, behind: int) -> None:
        self._behind = behind
        self._said = bytearray()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.port = 0

    @property
    def open(self) -> int:
        """Connections to the server."""
        return len(self._writers)

    def count(self, type: str, words: str) -> int:
        """How many of the server's frames of that type had these words. They come unmasked, and begin with the type."""
        frames = bytes(self._said).split(b'{"type":')
        return sum(frame.startswith(f'"{type}"'.encode()) and words.encode() in frame for frame in frames)

    def cut(self) -> None:
        """Every connection ends without a farewell."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in self._writers])

    async def serve(self) -> asyncio.Server:
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        return listener

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._behind)
        self._writers.add(writer)
        await asyncio.gather(self._pass(reader, back, None), self._pass(there, writer, self._said))
        self._writers.discard(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray | None) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if kept is not None:
                    kept += data
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def relay(behind: int) -> Iterator[Relay]:
    """A relay to the local port `behind`, until the end of the block."""
    made = Relay(behind)
    thread = threading.Thread(target=made._loop.run_forever, daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(made.serve(), made._loop).result(10)
    try:
        yield made
    finally:
        made._loop.call_soon_threadsafe(listener.close)
        made.cut()
        made._loop.call_soon_threadsafe(made._loop.stop)
        thread.join(10)
        made._loop.close()
