"""What a worker process is: one event loop for all its streams, its sign of life, and its look for lost streams.

Celery's threads only wait for it. There is one a process (`process()`); it starts with the worker and ends with it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import cache, partial
from typing import Any, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections
from redis.exceptions import RedisError

from sessions.outages import DATABASE_AWAY
from streaming import outbox, positions, slots, waiting
from streaming.configured import node_router
from streaming.database import in_db
from streaming.layer import LiveChannelLayer
from streaming.log import LogUnavailable
from streaming.log.script import WORKERS_GROUP
from streaming.runner import duties, leases, lifecycle, reaper
from streaming.runner.meter import Meter
from streaming.runner.recovery import Budget
from streaming.runner.routing import LOOK_S, Router
from streaming.runner.run import Means, Run
from streaming.tools.configured import toolkit

logger = logging.getLogger(__name__)

T = TypeVar("T")

REAP_S = 1.0
FORGET_S = 30.0
STOP_WITHIN_S = 5.0
DEAD_AFTER_S = leases.DEAD_AFTER.total_seconds()


class Draining(Exception):
    """This worker ends: the task belongs to another one."""


class WorkerProcess:
    """The part of a worker process that is ours."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._slots = 0
        self._runs: dict[UUID, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._meter = Meter()
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live, name="streams", daemon=True)
        # A thread of its own: the sign of life never waits behind other work.
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")
        self._forgotten: dict[UUID, int] = {}
        self._last_sign: float | None = None
        self._steady_since = float("-inf")

    def start(self, slots: int) -> None:
        """Begin, to take up to `slots` streams at once; returns when the loop runs."""
        self._slots = slots
        self._thread.start()
        self._ready.wait()

    def carry(self, stream_id: str) -> None:
        """Carry a stream to its end, blocking this thread. Raises Draining when another worker has to take it."""
        if self._draining or self._loop is None:
            raise Draining
        try:
            asyncio.run_coroutine_threadsafe(self._carry(stream_id), self._loop).result()
        except (concurrent.futures.CancelledError, asyncio.CancelledError):
            raise Draining from None

    def trim_logs(self) -> int:
        """See `duties.trim_logs`. Raises LogUnavailable."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._trim_logs(), self._loop).result()

    def drain(self) -> None:
        """Hand every stream over and take no more. Returns at once; `carry` raises as each is handed over."""
        self._draining = True
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel_runs)

    def stop(self) -> None:
        """Drain, give the last sign of life, end the loop."""
        self.drain()
        loop = self._loop
        if loop is not None and self._thread.is_alive():
            with suppress(concurrent.futures.TimeoutError, *DATABASE_AWAY):
                asyncio.run_coroutine_threadsafe(self._leave(), loop).result(STOP_WITHIN_S)
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join(STOP_WITHIN_S)

    # In the loop --------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        loop = self._loop = _new_loop()
        asyncio.set_event_loop(loop)
        self._means: asyncio.Future[Means] = loop.create_future()
        tasks = loop.create_task(self._live_on())
        tasks.add_done_callback(_end_without_duties)
        loop.call_soon(self._ready.set)
        try:
            loop.run_forever()
        finally:
            tasks.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(tasks)
            loop.close()

    async def _live_on(self) -> None:
        layer = get_channel_layer("live")
        assert isinstance(layer, LiveChannelLayer)
        tools = toolkit()
        async with node_router() as router, tools:
            self._means.set_result(
                Means(
                    self.id,
                    layer.here().log,
                    router,
                    settings.STREAM_TIMEOUT,
                    Budget(settings.NODE_RETRIES, settings.NODE_RETRY_SECONDS),
                    self._meter,
                    tools,
                    settings.TOOL_ROUNDS,
                )
            )
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat(router))
                group.create_task(_regularly(LOOK_S, router.look))
                group.create_task(_regularly(REAP_S, self._reap))
                group.create_task(_regularly(REAP_S, partial(in_db, outbox.sweep)))
                group.create_task(_regularly(REAP_S, partial(in_db, positions.tell)))
                group.create_task(_regularly(FORGET_S, lambda: in_db(leases.forget_the_dead)))
                group.create_task(_regularly(FORGET_S, tools.close_idle))
                group.create_task(self._hear(layer))

    async def _carry(self, stream_id: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            means = await asyncio.shield(self._means)
            job = await in_db(lifecycle.load, stream_id)
            if job is None or job.stream.pk in self._runs:
                return
            run = self._runs[job.stream.pk] = Run(job, means)
            try:
                await run.carry()
            finally:
                del self._runs[job.stream.pk]
        except DATABASE_AWAY as error:
            logger.warning("Stream %s waits for the database: %s", stream_id, error)
        finally:
            self._tasks.discard(task)

    async def _trim_logs(self) -> int:
        means = await asyncio.shield(self._means)
        return await duties.trim_logs(means.log, timedelta(hours=settings.LOG_KEEP_HOURS))

    def _cancel_runs(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _leave(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._with_heart(lambda: leases.end(self.id))

    async def _beat(self, router: Router) -> None:
        several, is_away = len(router.nodes) > 1, False
        while True:
            claimed = {pk: run for pk, run in self._runs.items() if run.claim is not None}
            try:
                carried = await self._with_heart(partial(leases.beat, self.id, self._meter.take(), router.busy()))
                if several:
                    router.told(await self._with_heart(partial(leases.on_nodes, self.id)))
            except DATABASE_AWAY as error:
                if not is_away:
                    logger.warning("The database cannot be reached: %s", error)
                is_away = True
            else:
                is_away = False
                self._note_sign()
                for pk, run in claimed.items():
                    if pk in carried.stopping:
                        run.stop()
                    elif pk not in carried.all and run.claim is not None:
                        run.lose()
                # Or ended since, which the database knows.
                self._forgotten = {pk: fence for pk, fence in carried.all.items() if pk not in self._runs}
            await asyncio.sleep(leases.HEARTBEAT_S)

    def _note_sign(self) -> None:
        now = time.monotonic()
        if self._last_sign is not None and now - self._last_sign >= DEAD_AFTER_S:
            self._steady_since = now
        self._last_sign = now

    def _may_judge(self) -> bool:
        """Whether this worker may say of another that it is dead: it has given signs of life itself, for long enough.

        After an outage of the database, be it one that only made everybody wait, all look dead until all had their time.
        """
        now = time.monotonic()
        steadily = now - self._steady_since >= DEAD_AFTER_S
        return steadily and self._last_sign is not None and now - self._last_sign < DEAD_AFTER_S

    async def _reap(self) -> None:
        if self._forgotten:
            await in_db(reaper.send_forgotten, self.id, self._forgotten)
        if not self._may_judge():
            return
        await in_db(reaper.take_over_lost, self._may_judge)
        await in_db(slots.fill)
        await in_db(waiting.give_up_late)
        if len(self._tasks) < self._slots and not self._draining:
            await in_db(reaper.send_again)

    async def _hear(self, layer: LiveChannelLayer) -> None:
        """Stop at once what somebody wants stopped; the sign of life would tell it a second later."""
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(WORKERS_GROUP, channel)
                while True:
                    self._obey(await layer.receive(channel))
            except LogUnavailable:
                await asyncio.sleep(REAP_S)

    def _obey(self, message: dict[str, Any]) -> None:
        if message["type"] == "stream.stop" and (run := self._runs.get(UUID(message["stream"]))) is not None:
            run.stop()

    async def _with_heart(self, function: Callable[[], T]) -> T:
        def call() -> T:
            close_old_connections()
            try:
                return function()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._heart, call)


def _end_without_duties(duties: asyncio.Task[None]) -> None:
    """A worker that gives no sign of life and hears nothing must not take streams: its supervisor starts another."""
    if not duties.cancelled() and (error := duties.exception()) is not None:
        logger.critical("This worker cannot go on and ends.", exc_info=error)
        os.kill(os.getpid(), signal.SIGTERM)


async def _regularly(seconds: float, duty: Callable[[], Coroutine[Any, Any, object]]) -> None:
    while True:
        try:
            await duty()
        except DATABASE_AWAY:
            pass  # the sign of life says so
        except (LogUnavailable, RedisError):
            pass  # who listens for stops says so
        except Exception:
            logger.exception("A regular duty of this worker failed; it is tried again.")
        await asyncio.sleep(seconds)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@cache
def process() -> WorkerProcess:
    """This process's worker, not started."""
    return WorkerProcess()
