"""The Channels tutorial's own shape: every socket joins the group, every consumer encodes its own JSON. On daphne."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from benchmarks import payloads
from benchmarks.process import ROOT, Workshop, free_port, port_answers
from benchmarks.targets import broker
from benchmarks.targets.base import Running, Send
from benchmarks.task import ViewerShape

PEERS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True, slots=True)
class ChannelsTutorial:
    """The FanoutTarget."""

    name: str = "tutorial"
    title: str = "Channels tutorial (daphne)"
    publisher_module: str = "benchmarks.targets.channels_tutorial"

    def start(self, shop: Workshop, viewers: int) -> Running:
        valkey, redis_port = broker.start(shop)
        env = {
            "TUTORIAL_REDIS": f"redis://127.0.0.1:{redis_port}/0",
            "DJANGO_SETTINGS_MODULE": "channels_tutorial.settings",
            "PYTHONPATH": str(PEERS),
        }
        port = free_port()
        # fmt: off
        command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "--verbosity", "0",
                   "channels_tutorial.asgi:application"]
        # fmt: on
        server = shop.start("daphne", command, env=env, cwd=PEERS)
        shop.wait(server, lambda: port_answers(port), "it listened")
        return Running(
            viewer=ViewerShape(port=port, path="/ws/live/"),
            server_pids=server.pids,
            broker_pids=valkey.pids,
            publisher={},
            version=f"channels {version('channels')}, channels-redis {version('channels-redis')}, "
            f"daphne {version('daphne')}",
            publisher_env={**env, "PYTHONPATH": os.pathsep.join((str(ROOT), str(PEERS)))},
        )


@contextlib.asynccontextmanager
async def open_publisher(config: dict[str, Any]) -> AsyncIterator[Send]:
    """`group_send` from outside the server, as the Channels documentation shows."""
    import django

    django.setup()
    from channels.layers import get_channel_layer

    layer = get_channel_layer()

    async def send(number: int, text: str) -> None:
        event = payloads.event(number, text, time.time_ns() // 1_000_000)
        await layer.group_send("live", {"type": "token.message", "event": event})

    yield send
