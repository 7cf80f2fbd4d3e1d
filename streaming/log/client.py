"""The ordered, replayable log of a session or a stream, in Redis: append, read, fence, stop.

`LogWriter` is for asyncio code (workers, the hub), `BlockingLog` for code that runs in a thread (requests, commits).
Both pass the `run_id` of the server that *their connection* reached, read when it connected: a restarted Redis may have
lost writes, and the script then begins a new epoch. For that reason a command is never re-sent on another connection here.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.retry
import redis.backoff
import redis.exceptions
import redis.retry

from streaming import metrics
from streaming.log import script
from streaming.log.script import (
    Appended,
    Command,
    Entry,
    Head,
    LogEvent,
    LogFenced,
    LogUnavailable,
    Page,
)

# Commands in one write to Redis; more only delays the first answer.
PIPELINE = 256
# It is there, and takes nothing now: its memory or disk is full, or another one has its place. That passes, as an outage does.
_REFUSING = (redis.exceptions.OutOfMemoryError, redis.exceptions.ReadOnlyError, redis.exceptions.ClusterDownError)
UNREACHABLE = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError, OSError, asyncio.IncompleteReadError)
SOCKET_TIMEOUT_S = 10.0

Build = Callable[[str], Command]  # run id → command


def _refusal(error: redis.exceptions.ResponseError) -> LogUnavailable | None:
    """What to raise for one that says that nothing can be written now; None for every other."""
    if isinstance(error, _REFUSING) or str(error).startswith("MISCONF"):
        return LogUnavailable(f"Redis takes nothing: {error}")
    return None


class _Pipe:
    """One connection that sends whatever is waiting in one write and reads the answers: natural batching."""

    def __init__(self, url: str) -> None:
        self._pool = redis.asyncio.ConnectionPool.from_url(
            url, max_connections=1, socket_timeout=SOCKET_TIMEOUT_S, protocol=2,
            retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
        )  # fmt: skip
        self._connection: Any = None
        self._run_id = ""
        self._waiting: deque[tuple[Build, asyncio.Future[Any]]] = deque()
        self._pump: asyncio.Task[None] | None = None

    def send(self, build: Build) -> asyncio.Future[Any]:
        """The future of the answer; it raises LogUnavailable or redis' ResponseError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((build, future))
        if self._pump is None or self._pump.done():
            self._pump = loop.create_task(self._run())
        return future

    async def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        await self._drop()
        await self._pool.disconnect()

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(PIPELINE, len(self._waiting)))]
            try:
                await self._exchange(batch)
            except BaseException as error:
                await self._drop()
                unavailable = LogUnavailable(f"Redis cannot be reached: {str(error) or type(error).__name__}")
                for _, future in batch:
                    if not future.done():
                        future.set_exception(unavailable)
                if not isinstance(error, UNREACHABLE):
                    raise

    async def _exchange(self, batch: list[tuple[Build, asyncio.Future[Any]]]) -> None:
        connection = await self._connected()
        packed = connection.pack_commands([build(self._run_id) for build, _ in batch])
        began = time.perf_counter()
        await connection.send_packed_command(packed)
        for _, future in batch:
            try:
                reply: Any = await connection.read_response()
            except redis.exceptions.ResponseError as error:
                if isinstance(error, redis.exceptions.NoScriptError):
                    await self._drop()  # SCRIPT FLUSH: connecting loads them again
                    raise redis.exceptions.ConnectionError("the scripts were flushed") from error
                if not future.done():
                    future.set_exception(_refusal(error) or error)
            else:
                if not future.done():
                    future.set_result(reply)
        metrics.REDIS_MS.observe((time.perf_counter() - began) * 1000)

    async def _connected(self) -> Any:
        if self._connection is None or not self._connection.is_connected:
            connection: Any = self._pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            await connection.connect()
            await connection.send_command("INFO", "server")
            self._run_id = script.run_id_of((await connection.read_response()).splitlines())
            for lua in (script.APPEND, script.READ):
                await connection.send_command("SCRIPT", "LOAD", lua.source)
                await connection.read_response()
            self._connection = connection
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


class LogWriter:
    """The logs of one Redis, for one event loop. `keep_s`: seconds a log outlives its last event."""

    def __init__(self, url: str, *, keep_s: int = 86_400) -> None:
        self._keep_s = keep_s
        self._epochs = script.Epochs()
        self._appends = _Pipe(url)
        self._reads = _Pipe(url)

    async def append(self, log: str, entry: Entry, *, batch: int = 0, fence: int = 0, key: str = "") -> Appended:
        """Append one event and ring the log's group.

        `batch` numbers a stream's writes from 1 without holes, `fence` is its owner's, `key` names an outbox row.
        Raises LogFenced, LogBehind, LogUnavailable.
        """
        ts = script.now_ms()
        return script.appended(
            await self._appends.send(
                lambda run_id: script.append_command(
                    run_id, self._epochs.next(), self._keep_s, log, entry, batch, fence, key, ts
                )
            )
        )

    async def raise_fence(self, log: str, stream: str, fence: int) -> int:
        """Shut out every owner with a smaller fence; returns the last batch that the log holds of the stream."""
        # HSET is right without a comparison: fences are handed out by the database in growing order.
        commands = script.raise_fence_commands(log, stream, fence)
        _, last = await asyncio.gather(*(self._appends.send(partial(script.fixed, command)) for command in commands))
        return int(last or 0)

    async def head(self, log: str) -> Head:
        return (await self._page(log, 0, None, 0)).head

    async def read_page(self, log: str, after: int = 0, upto: int | None = None, count: int = script.READ_PAGE) -> Page:
        """At most `count` events with `after < seq <= upto`, and the head at the same moment."""
        return await self._page(log, after, upto, count)

    async def read(self, log: str, after: int = 0, upto: int | None = None) -> list[LogEvent]:
        """Every event with `after < seq <= upto`, page by page."""
        return (await self._read(log, after, upto))[0]

    async def read_to_head(self, log: str, after: int = 0) -> tuple[list[LogEvent], Head]:
        """Every event after `after`, and the head that they reach."""
        return await self._read(log, after, None)

    async def _read(self, log: str, after: int, upto: int | None) -> tuple[list[LogEvent], Head]:
        events: list[LogEvent] = []
        while True:
            page = await self._page(log, after, upto, script.READ_PAGE)
            events += page.events
            if len(page.events) < script.READ_PAGE:
                return events, page.head
            after = page.events[-1].seq

    async def length(self, log: str) -> int:
        """How many entries the log has; a trimmed one has fewer than its head says."""
        return int(await self._reads.send(partial(script.fixed, ("XLEN", script.keys_of(log)[1]))))

    async def starts(self, log: str, streams: Sequence[str]) -> list[int]:
        """For each of the running `streams` the seq of its first event; 0 where the log does not have it."""
        command = script.starts_command(log, streams)
        return [int(seq or 0) for seq in await self._reads.send(partial(script.fixed, command))]

    async def publish(self, log: str, type: str, body: dict[str, Any]) -> None:
        """Ring the group with an ephemeral event (progress …): seen by who is there now, kept nowhere."""
        command = script.publish_command(script.group_of(log), script.note(log, type, body))
        await self._appends.send(partial(script.fixed, command))

    async def flag_stop(self, log: str, stream: str) -> None:
        """Ask the stream's worker to stop: its next append says so, and every worker hears it at once."""
        commands = script.stop_commands(log, stream)
        await asyncio.gather(*(self._appends.send(partial(script.fixed, command)) for command in commands))

    async def trim(self, log: str, before: int) -> None:
        """Forget the events with `seq < before`."""
        command = script.trim_command(log, before)
        await self._appends.send(partial(script.fixed, command))

    async def ask(self, *command: Any) -> Any:
        """Redis' answer to a command about what is kept beside the logs. Raises LogUnavailable."""
        return await self._reads.send(partial(script.fixed, command))

    async def close(self) -> None:
        await self._appends.close()
        await self._reads.close()

    async def _page(self, log: str, after: int, upto: int | None, count: int) -> Page:
        reply = await self._reads.send(
            lambda run_id: script.read_command(run_id, self._epochs.next(), self._keep_s, log, after, upto, count)
        )
        return script.page(log, reply)


class BlockingLog:
    """The same log for threads: one connection a thread, made when first used."""

    def __init__(self, url: str, *, keep_s: int = 86_400) -> None:
        self._url = url
        self._keep_s = keep_s
        self._epochs = script.Epochs()
        self._mine = threading.local()

    def append(self, log: str, entries: list[tuple[Entry, str]]) -> list[Appended]:
        """Append events with their outbox keys, in order, in one round trip.

        An event of a stream that has ended is answered as a duplicate: it may not be there twice.
        Raises LogUnavailable.
        """
        ts = script.now_ms()

        def build(entry: Entry, key: str, run_id: str) -> Command:
            return script.append_command(run_id, self._epochs.next(), self._keep_s, log, entry, 0, 0, key, ts)

        replies = self._exchange([partial(build, entry, key) for entry, key in entries])
        answers = []
        for reply in replies:
            try:
                answers.append(script.appended(reply))
            except LogFenced:
                answers.append(Appended(reply[1].decode(), reply[2], True, False))
        return answers

    def flag_stop(self, log: str, stream: str) -> None:
        """As LogWriter.flag_stop. Raises LogUnavailable."""
        self._exchange([partial(script.fixed, command) for command in script.stop_commands(log, stream)])

    def publish(self, log: str, type: str, body: dict[str, Any]) -> None:
        """As LogWriter.publish. Raises LogUnavailable."""
        command = script.publish_command(script.group_of(log), script.note(log, type, body))
        self._exchange([partial(script.fixed, command)])

    def tell(self, group: str, message: dict[str, Any]) -> None:
        """Send `message` to a control group (`user.<id>`). Raises LogUnavailable."""
        command = script.publish_command(group, message)
        self._exchange([partial(script.fixed, command)])

    def _exchange(self, builds: list[Build]) -> list[Any]:
        try:
            connection, run_id = self._connected()
            connection.send_packed_command(connection.pack_commands([build(run_id) for build in builds]))
            return [connection.read_response() for _ in builds]
        except (*UNREACHABLE, redis.exceptions.NoScriptError) as error:
            self._drop()
            raise LogUnavailable(f"Redis cannot be reached: {error}") from error
        except redis.exceptions.ResponseError as error:
            self._drop()  # answers of this exchange may still be on the way
            raise (_refusal(error) or error) from error
        except BaseException:
            self._drop()  # answers of this exchange may still be on the way
            raise

    def _connected(self) -> tuple[Any, str]:
        connection: Any = getattr(self._mine, "connection", None)
        if connection is None or _is_stale(connection):
            self._drop()
            pool = redis.ConnectionPool.from_url(
                self._url, socket_timeout=SOCKET_TIMEOUT_S, protocol=2,
                retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),
            )  # fmt: skip
            connection = pool.make_connection()
            connection.connect()
            connection.send_command("INFO", "server")
            self._mine.run_id = script.run_id_of(connection.read_response().splitlines())
            connection.send_command("SCRIPT", "LOAD", script.APPEND.source)
            connection.read_response()
            self._mine.connection = connection
        return connection, self._mine.run_id

    def _drop(self) -> None:
        connection = getattr(self._mine, "connection", None)
        self._mine.connection = None
        if connection is not None:
            connection.disconnect()


def _is_stale(connection: Any) -> bool:
    """Readable while nothing is asked: the server has closed it."""
    try:
        return bool(connection.can_read())
    except UNREACHABLE:
        return True
