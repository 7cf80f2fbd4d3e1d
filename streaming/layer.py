"""The channel layer: channels_redis' pub/sub layer, made safe to build a log on.

Added to it: a subscription is confirmed by Redis before `group_add` returns; a lost connection is made again with all
its subscriptions, and the owner is told (channels_redis' own hook for that never fires, channels_redis#406); a dead
connection is noticed in silence; what waits is received in one go; and `log`, the atomic append-and-publish.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis.asyncio
import redis.asyncio.retry
import redis.backoff
from channels_redis.pubsub import RedisPubSubChannelLayer, RedisPubSubLoopLayer, RedisSingleShardConnection
from channels_redis.utils import _wrap_close, create_pool

from streaming.log import UNREACHABLE, LogUnavailable, LogWriter
from streaming.log.script import PREFIX

logger = logging.getLogger(__name__)

# Silence after which the connection is asked whether it lives, and how long the answer may take.
PING_AFTER_S = 5.0
CONFIRM_WITHIN_S = 3.0
RECONNECT_DELAYS_S = (0.05, 0.1, 0.2, 0.5, 1.0)


class LiveChannelLayer(RedisPubSubChannelLayer):
    """Configured with one host: with several, a group's sends and receives may land on different ones."""

    def __init__(self, hosts: list[dict[str, Any]], keep_s: int = 86_400) -> None:
        if len(hosts) != 1:
            raise ValueError("The live channel layer takes exactly one Redis host.")
        super().__init__(hosts=hosts, prefix=PREFIX)
        self._keep_s = keep_s

    def _get_layer(self) -> LiveLoopLayer:
        loop = asyncio.get_running_loop()
        layer: LiveLoopLayer | None = self._layers.get(loop)
        if layer is None:
            layer = self._layers[loop] = LiveLoopLayer(self, self._kwargs["hosts"][0], self._keep_s)
            _wrap_close(self, loop)
        return layer

    def here(self) -> LiveLoopLayer:
        """The part of the layer that belongs to the running event loop."""
        return self._get_layer()


class LiveLoopLayer(RedisPubSubLoopLayer):
    """The layer within one event loop. `on_reconnected` is called after every subscription stands again."""

    def __init__(self, layer: LiveChannelLayer, host: dict[str, Any], keep_s: int) -> None:
        super().__init__(hosts=[host], prefix=PREFIX, channel_layer=layer)
        self.on_reconnected: Callable[[], None] | None = None
        self.log = LogWriter(host["address"], keep_s=keep_s)
        self._shards = [_GroupConnection(host, self)]

    @property
    def connected(self) -> bool:
        return self._shards[0].connected

    async def receive_all(self, channel: str) -> list[dict[str, Any]]:
        """Wait for a message on `channel`; returns it and all that have arrived behind it."""
        first = await self.receive(channel)
        queue = self.channels[channel]
        return [first, *(self.channel_layer.deserialize(queue.get_nowait()) for _ in range(queue.qsize()))]

    async def flush(self) -> None:
        await super().flush()
        await self.log.close()


class _GroupConnection(RedisSingleShardConnection):
    """The one connection on which this process hears its groups."""

    def __init__(self, host: dict[str, Any], layer: LiveLoopLayer) -> None:
        super().__init__(host, layer)
        self._pool = create_pool(
            {
                **host,
                "protocol": 2,
                "socket_timeout": None,
                "retry": redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
            }
        )
        self._connection: Any = None
        self._receive_task: asyncio.Task[None] | None = None
        self._confirmations: dict[str, asyncio.Future[None]] = {}
        self._heard = False
        self.connected = False

    async def subscribe(self, channel: str) -> None:
        """Returns when Redis has confirmed: from then on nothing published is missed. Raises LogUnavailable."""
        if channel in self._subscribed_to and channel not in self._confirmations:
            return
        self._subscribed_to.add(channel)
        future = self._confirmations.get(channel)
        if future is None:
            future = self._confirmations[channel] = asyncio.get_running_loop().create_future()
            self._ensure_receiver()
            if self._connection is not None:
                await self._send("SUBSCRIBE", channel)
        try:
            await asyncio.wait_for(asyncio.shield(future), CONFIRM_WITHIN_S)
        except TimeoutError:
            raise LogUnavailable("Redis did not confirm a subscription in time.") from None

    async def unsubscribe(self, channel: str) -> None:
        if channel in self._subscribed_to:
            self._subscribed_to.discard(channel)
            if (waiting := self._confirmations.pop(channel, None)) is not None:
                waiting.cancel()
            if self._connection is not None:
                await self._send("UNSUBSCRIBE", channel)

    async def flush(self) -> None:
        if self._receive_task is not None:
            self._receive_task.cancel()
            await asyncio.gather(self._receive_task, return_exceptions=True)
            self._receive_task = None
        await self._drop()
        await super().flush()
        await self._pool.disconnect()

    async def _send(self, *command: str) -> None:
        try:
            await self._connection.send_command(*command)
        except UNREACHABLE:
            # The receiver notices as well, connects again and subscribes to everything that is wanted.
            await self._connection.disconnect(nowait=True)

    async def _do_receiving(self) -> None:
        attempt = 0
        was_connected = False
        while True:
            try:
                await self._connect()
                if was_connected:
                    logger.info("Redis is back; listening again.")
                attempt, was_connected = 0, True
                await self._listen()
            except UNREACHABLE as error:
                if self.connected:
                    logger.warning(
                        "Lost the connection to Redis (%s); connecting again.", str(error) or type(error).__name__
                    )
                await self._drop()
                await asyncio.sleep(RECONNECT_DELAYS_S[min(attempt, len(RECONNECT_DELAYS_S) - 1)])
                attempt += 1

    async def _connect(self) -> None:
        connection = self._pool.make_connection()
        await connection.connect()
        self._connection = connection
        # PING is confirmed after all subscriptions: then everything stands again.
        if self._subscribed_to:
            await connection.send_command("SUBSCRIBE", *sorted(self._subscribed_to))
        await connection.send_command("PING", "standing")

    async def _listen(self) -> None:
        watch = asyncio.get_running_loop().create_task(self._notice_silence(self._connection))
        try:
            while True:
                reply = await self._connection.read_response(disconnect_on_error=False)
                self._heard = True
                self._take(reply)
        finally:
            watch.cancel()

    async def _notice_silence(self, connection: Any) -> None:
        """Ask a silent connection whether it lives, and close one that does not answer: the reader then ends."""
        asked = False
        while True:
            self._heard = False
            await asyncio.sleep(PING_AFTER_S)
            if self._heard:
                asked = False
            elif asked:
                await connection.disconnect(nowait=True)
                return
            else:
                asked = True
                with suppress(*UNREACHABLE):
                    await connection.send_command("PING", "alive")

    def _take(self, reply: Any) -> None:
        if reply in (b"PONG", b"standing", b"alive"):  # no subscription yet: a plain answer
            kind, name, data = b"pong", b"", reply
        else:
            kind, name, data = (reply[0], b"", reply[1]) if len(reply) == 2 else reply
        if kind == b"message":
            self._receive_message({"channel": name, "data": data})
        elif kind == b"subscribe":
            if (future := self._confirmations.pop(name.decode(), None)) is not None and not future.done():
                future.set_result(None)
        elif kind == b"pong" and data == b"standing":
            reconnected, self.connected = not self.connected, True
            if reconnected and self.channel_layer.on_reconnected is not None:
                self.channel_layer.on_reconnected()

    async def _drop(self) -> None:
        self.connected = False
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)
