"""The real server, as a wire before it knows it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

from streaming.log.script import keys_of
from tests.integration.stack import Stack, eventually

OVER = {"complete", "stopped", "failed"}
PATIENCE_S = 120.0


@dataclass
class Behind:
    """The server, as a wire knows it."""

    stack: Stack

    @property
    def port(self) -> int:
        port = urlsplit(self.stack.url).port
        assert port is not None
        return port

    async def over(self, stream: str) -> None:
        async with self.stack.rest_soon(self.stack.people["Olga"]) as rest:

            async def ended() -> bool:
                return (await rest.get(f"/v1/streams/{stream}")).json()["status"] in OVER

            await eventually(ended, f"{stream} is over", PATIENCE_S)

    async def lose(self, log: str, *, whole: bool) -> None:
        """As after `LOG_KEEP_HOURS`; the `whole` log as a Redis that was restarted without its file."""
        meta, events, seen = keys_of(log)
        with self.stack.redis() as redis:
            await asyncio.to_thread(redis.delete, *((meta, events, seen) if whole else (events,)))
