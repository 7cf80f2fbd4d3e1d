"""One stream, from a worker's claim to its terminal event: ask the node, put what it says on the log, save it.

The node's reader only adds to memory and the writer takes from there, so that reading never waits for storage. Whose a
stream is, is decided by the database (`lifecycle`) and the log's fence; here it is only obeyed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming import metrics
from streaming.database import in_db
from streaming.endings import Outcome, Timings, UsageCount
from streaming.log import Entry, LogFenced, LogUnavailable, LogWriter
from streaming.node import ChatRequest, ChatStream, Finish, NodeClient, NodeEvent, Usage
from streaming.runner import lifecycle
from streaming.runner.answer import NUMBERED, Answer
from streaming.runner.asking import chat_request
from streaming.runner.batching import Batcher
from streaming.runner.lifecycle import Claim, Job
from streaming.runner.meter import Meter
from streaming.runner.progress import Progress
from streaming.runner.routing import Route, Router
from streaming.runner.stream_writer import RETRY_DELAYS_S, StreamWriter

logger = logging.getLogger(__name__)

# Characters that may wait for the log before the node has to: only a Redis that is gone gets there.
MAX_WAITING = 4 * 1024 * 1024
# Workers that may be lost under one stream; an answer that takes them all down must end.
MAX_TAKEOVERS = 3
# How long the node may take to close a connection that can be used again, once the answer is whole.
GOODBYE_S = 1.0
# In less time than this a speed says more about the clock than about the model.
MEASURABLE_S = 0.1

VOID = "The worker that wrote this was lost, and the model begins again."


@dataclass(frozen=True, slots=True)
class Means:
    """What every stream of a worker process uses. `lease` is the process's name in the database."""

    lease: str
    log: LogWriter
    node: NodeClient
    router: Router
    stream_timeout: float
    meter: Meter


class Run:
    """Carries one stream. `stop` and `lose` may be called at any time from the loop."""

    def __init__(self, job: Job, means: Means) -> None:
        self._job = job
        self._means = means
        self._loop = asyncio.get_running_loop()
        self._id = str(job.stream.pk)
        self._log = job.stream.log
        self._batcher = Batcher(self._id)
        self._answer = Answer(self._id)
        self._progress = Progress(self._id, job.stream.request["options"].get("max_tokens"))
        self.claim: Claim | None = None
        self._chat: ChatStream | None = None
        self._reader: asyncio.Task[None] | None = None
        self._whole: asyncio.Future[str] = self._loop.create_future()  # the finish reason, once the node told it
        self._halted: asyncio.Future[None] = self._loop.create_future()
        self._lost = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._began = self._loop.time()
        self._first_at: float | None = None
        self._tokens_before = 0  # written by earlier owners, and continued

    def stop(self) -> None:
        """Somebody wants the stream stopped: what it wrote so far is kept."""
        if not self._halted.done():
            self._halted.set_result(None)

    def lose(self) -> None:
        """The stream is another worker's now: write nothing more."""
        self._lost = True
        self.stop()

    async def carry(self) -> None:
        """Returns when the stream has ended, or is not ours. Cancelled, it hands the stream over."""
        try:
            with metrics.STREAMS_ACTIVE.track_inprogress():
                await self._carry()
        except LogFenced:
            logger.info("Stream %s is carried by another worker now.", self._id)
        except asyncio.CancelledError:
            if self.claim is not None:
                with suppress(OperationalError, InterfaceError):  # then the reaper finds it without a lease
                    await in_db(lifecycle.hand_over, self.claim)
            raise
        finally:
            await self._close_reader()

    async def _carry(self) -> None:
        stream = self._job.stream
        route = await self._route()
        if isinstance(route, Route) and stream.started_at is None:
            # The node is asked while the claim is written: most of the first token's way is waiting.
            self._ask(chat_request(self._job, route))
        model, node = (
            (route.model, route.node)
            if isinstance(route, Route)
            else (stream.requested_model, self._means.router.where)
        )
        claim = await in_db(lifecycle.claim, stream, self._means.lease, model=model, node=node)
        if claim is None:
            return
        self.claim = claim
        if claim.taken_over and claim.stream.started_at is not None:
            self._began = self._loop.time() - max(0.0, (timezone.now() - claim.stream.started_at).total_seconds())
        try:
            outcome = await self._outcome(claim, route)
        except (LogFenced, asyncio.CancelledError):
            raise
        except Exception:
            logger.exception("Stream %s failed in a way that nobody foresaw.", self._id)
            outcome = self._failed(
                LiveError(ErrorCode.INTERNAL, "Something went wrong on our side; it was logged. Try again.")
            )
        await self._finish(claim, outcome)

    async def _route(self) -> Route | LiveError:
        stream = self._job.stream
        local = bool((stream.request["options"].get("route") or {}).get("force_local"))
        try:
            return await self._means.router.route(stream.model or stream.requested_model, force_local=local)
        except LiveError as error:
            return error

    async def _outcome(self, claim: Claim, route: Route | LiveError) -> Outcome:
        """Write the answer, as far as it comes, to the log; what it amounts to is left to be saved."""
        await self._start_is_on_log(claim)
        written, last = await self._left_by_others(claim) if claim.taken_over else ([], 0)
        out = StreamWriter(self._means.log, self._log, claim.fence, written=written, last=last)
        if claim.stream.stop_requested_at is not None:
            return self._stopped()
        if claim.stream.takeovers > MAX_TAKEOVERS:
            return self._failed(
                LiveError(ErrorCode.STREAM_INTERRUPTED, "The answer was cut off several times. Try again.")
            )
        if isinstance(route, LiveError):
            return self._failed(route)
        if self._reader is None:
            self._ask(await self._again(out, route, last))
        return await self._read_and_write(out)

    async def _read_and_write(self, out: StreamWriter) -> Outcome:
        assert self._reader is not None
        left = self._began + self._means.stream_timeout - self._loop.time()
        writer = asyncio.create_task(self._write(out))
        reporter = asyncio.create_task(self._report())
        try:
            await asyncio.wait(
                (self._whole, self._reader, self._halted, writer),
                timeout=max(0.0, left),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not self._whole.done():
                await self._close_reader()  # at once: it is what makes an engine stop
            if self._lost:
                raise LogFenced
            self._closing = True
            self._wake.set()
            await writer
            return await self._judge(out)
        finally:
            for task in (writer, reporter):
                task.cancel()
            await asyncio.gather(writer, reporter, return_exceptions=True)

    async def _judge(self, out: StreamWriter) -> Outcome:
        """Why reading ended, and so what the stream's end is."""
        assert self._reader is not None
        if self._whole.done():
            closing = list(self._answer.closing_entries())
            await self._put(out, closing)
            return self._ended(finish_reason=self._whole.result())
        if self._halted.done():
            return self._stopped()
        error = None if self._reader.cancelled() else self._reader.exception()
        if isinstance(error, LiveError):
            return self._failed(error)
        if error is not None:
            raise error
        seconds = f"{self._means.stream_timeout:g}"
        return self._failed(
            LiveError(
                ErrorCode.STREAM_TIMEOUT,
                f"The answer took longer than {seconds} seconds and was ended; its text is kept.",
            )
        )

    # Reading the node ---------------------------------------------------------------------------------------------

    def _ask(self, request: ChatRequest) -> None:
        self._reader = asyncio.create_task(self._read(request))

    async def _read(self, request: ChatRequest) -> None:
        async with self._means.node.chat(request) as chat:
            self._chat = chat
            async for event in chat:
                self._take(event)
                for more in chat.pending():
                    self._take(more)
                self._ring()
                while self._batcher.waiting > MAX_WAITING:
                    self._room.clear()
                    await self._room.wait()

    def _take(self, event: NodeEvent) -> None:
        if isinstance(event, Finish):
            if not self._whole.done():
                self._whole.set_result(event.reason)
        elif not isinstance(event, Usage):
            if self._first_at is None:
                self._first_at = self._loop.time()
            self._batcher.add(event)

    async def _close_reader(self) -> None:
        reader = self._reader
        if reader is None:
            return
        if self._whole.done() and not reader.done():
            await asyncio.wait((reader,), timeout=GOODBYE_S)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    # Writing the log ----------------------------------------------------------------------------------------------

    def _ring(self) -> None:
        """Wake the writer now, or when the next batch is due."""
        wait = self._batcher.due(self._loop.time())
        if wait == 0:
            self._wake.set()
        elif wait is not None and self._timer is None:
            self._timer = self._loop.call_later(wait, self._wake.set)

    async def _write(self, out: StreamWriter) -> None:
        self._ring()
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            entries = self._batcher.take(self._loop.time())
            self._room.set()
            if entries:
                await self._put(out, entries)
                self._ring()
            elif self._closing:
                return
            if self._closing:
                self._wake.set()

    async def _put(self, out: StreamWriter, entries: Sequence[Entry]) -> None:
        if entries and await out.write(entries):
            self.stop()
        for entry in entries:
            self._answer.apply(entry)
            self._means.meter.add(entry.n)

    async def _report(self) -> None:
        """Tell whoever watches how far it is, while it lasts. Nobody misses a report that is lost."""
        while True:
            await asyncio.sleep(Progress.INTERVAL_S)
            body = self._progress.body(self._answer, self._loop.time(), self._first_at)
            with suppress(LogUnavailable):
                await self._means.log.publish(self._log, "progress", body)

    # Taking over --------------------------------------------------------------------------------------------------

    async def _start_is_on_log(self, claim: Claim) -> None:
        attempt = 0
        waits = not claim.announced
        while waits:
            try:
                await in_db(lifecycle.bring_start_to_log, claim.stream)
                waits = False
            except (LogUnavailable, OperationalError, InterfaceError):
                await _pause(attempt)
                attempt += 1

    async def _left_by_others(self, claim: Claim) -> tuple[list[Entry], int]:
        """What earlier owners wrote, after they were shut out, and the number of their last entry."""
        attempt = 0
        while True:
            try:
                last = await self._means.log.raise_fence(self._log, self._id, claim.fence)
                (first,) = await self._means.log.starts(self._log, [self._id])
                events = await self._means.log.read(self._log, max(0, first - 1))
                break
            except LogUnavailable:
                await _pause(attempt)
                attempt += 1
        mine = [event for event in events if event.stream == self._id and event.type in NUMBERED]
        for event in mine:
            self._answer.apply(event)
        entries = [Entry(event.type, self._id, event.data, event.n, event.step, event.body or None) for event in mine]
        # A log that was trimmed under the stream cannot be said again; then the answer begins with a reset.
        return (entries, last) if len(entries) == last else ([], last)

    async def _again(self, out: StreamWriter, route: Route, last: int) -> ChatRequest:
        """Go on after the text so far where the engine is known to; else tell everybody to forget it, and begin again."""
        if self._answer.is_plain_text and await self._can_continue(route):
            self._tokens_before = self._answer.tokens
            return chat_request(self._job, route, so_far=self._answer.content, written=self._tokens_before)
        if last:
            await self._put(out, [Entry("reset", self._id, body={"reason": VOID})])
        return chat_request(self._job, route)

    async def _can_continue(self, route: Route) -> bool:
        try:
            return await self._means.node.can_continue(route.model)
        except LiveError:
            return False

    # Ending -------------------------------------------------------------------------------------------------------

    def _stopped(self) -> Outcome:
        return self._ended(finish_reason="stopped")

    def _failed(self, error: LiveError) -> Outcome:
        return self._ended(error=error)

    def _ended(self, *, finish_reason: str = "", error: LiveError | None = None) -> Outcome:
        usage = self._usage()
        return Outcome(
            finish_reason=finish_reason,
            error=error,
            content=self._answer.content,
            parts=self._answer.parts,
            usage=usage,
            timings=self._timings(usage),
        )

    def _usage(self) -> UsageCount:
        """What the node counted; what was written before a takeover is our own count."""
        told = self._chat.usage if self._chat is not None else Usage(0, self._answer.tokens, self._answer.tokens, True)
        before = self._tokens_before
        return UsageCount(
            prompt_tokens=told.prompt_tokens,
            completion_tokens=told.completion_tokens + before,
            total_tokens=told.total_tokens + before,
            estimated=told.estimated or before > 0,
        )

    def _timings(self, usage: UsageCount) -> Timings:
        now = self._loop.time()
        first = self._first_at
        written = usage["completion_tokens"] - self._tokens_before
        speed = (
            round((written - 1) / (now - first), 1)
            if first is not None and written > 1 and now - first >= MEASURABLE_S
            else None
        )
        return Timings(
            duration_ms=round((now - self._began) * 1000, 1),
            first_token_ms=None if first is None else round(max(0.0, first - self._began) * 1000, 1),
            tokens_per_second=speed,
        )

    async def _finish(self, claim: Claim, outcome: Outcome) -> None:
        """Save the end. A database that is gone is waited for: nothing of the answer is lost."""
        attempt = 0
        while True:
            try:
                ended = await in_db(lifecycle.finish, claim, outcome)
                break
            except (OperationalError, InterfaceError) as error:
                if attempt == 0:
                    logger.warning("Stream %s is written and waits for the database: %s", self._id, error)
                await _pause(attempt)
                attempt += 1
        self.claim = None
        if not ended:
            logger.info("Stream %s had been ended, or taken over, by somebody else.", self._id)
            return
        metrics.STREAMS.labels(outcome.status.value).inc()
        metrics.TOKENS.inc(outcome.usage["completion_tokens"])
        if (first := outcome.timings["first_token_ms"]) is not None:
            metrics.LATENCY_MS.observe(first)
        if outcome.error is not None:
            metrics.ERRORS.labels(outcome.error.code.value).inc()
            logger.warning(
                "Stream %s failed, node %s: %s", self._id, self._means.node.config.url, outcome.error.message
            )


async def _pause(attempt: int) -> None:
    await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
