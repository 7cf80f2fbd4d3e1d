"""One stream, from a worker's claim to its terminal event: ask the node, decide what follows, ask again or save the end.

How one ask is read and written is `ask`'s. Whose a stream is, is decided by the database (`lifecycle`) and the log's
fence; here it is only obeyed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from django.utils import timezone
from structlog.contextvars import bound_contextvars

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.options import RouteOptions
from sessions.outages import DATABASE_AWAY
from streaming import metrics
from streaming.cache import looking, queued
from streaming.cache.question import is_wanted
from streaming.database import in_db
from streaming.endings import Outcome
from streaming.log import Entry, LogFenced, LogUnavailable, LogWriter
from streaming.node import ChatRequest
from streaming.runner import lifecycle, takeover
from streaming.runner.answer import Answer
from streaming.runner.ask import Ask, AskOutcome, Finished, Halted, NodeFailed, TimedOut
from streaming.runner.asking import chat_request
from streaming.runner.lifecycle import Claim, Job, SetAside
from streaming.runner.meter import Meter
from streaming.runner.patience import in_db_at_last
from streaming.runner.progress import Progress
from streaming.runner.recovery import Budget, Recovery
from streaming.runner.routing import Route, Router
from streaming.runner.stream_writer import StreamWriter
from streaming.runner.tally import Tally
from streaming.runner.tool_round import Settled, ToolRound
from streaming.tools.toolbox import Toolbox, Toolkit

logger = logging.getLogger(__name__)

# Workers that may be lost under one stream; an answer that takes them all down must end.
MAX_TAKEOVERS = 3

WORKER_LOST = "The worker that wrote this was lost, and the model begins again."
NODE_LOST = "The node failed in the middle of the answer, and the model begins again."


@dataclass(frozen=True, slots=True)
class Means:
    """What every stream of a worker process uses. `lease` is the process's name in the database."""

    lease: str
    log: LogWriter
    router: Router
    stream_timeout: float
    budget: Budget
    meter: Meter
    tools: Toolkit
    tool_rounds: int


class Next(Enum):
    """The model is asked again, where it was asked before."""

    ASK = "ask"


class Run:
    """Carries one stream. `stop` and `lose` may be called at any time from the loop."""

    def __init__(self, job: Job, means: Means) -> None:
        self._job = job
        self._means = means
        self._loop = asyncio.get_running_loop()
        self._id = str(job.stream.pk)
        self._log = job.stream.log
        self._answer = Answer(self._id)
        self._progress = Progress(self._id, job.stream.request["options"].get("max_tokens"))
        self.claim: Claim | None = None
        self._ask: Ask | None = None
        self._toolbox = Toolbox()
        self._halted: asyncio.Future[None] = self._loop.create_future()
        self._tally = Tally(self._loop.time())
        self._recovery = Recovery(means.budget)
        self._void = ""  # why what was said since `start` is taken back, once something else is said
        self._continuing = False
        self._may_continue = True
        self._lost = NODE_LOST  # what made it necessary to ask again
        self._is_known = True  # all that was said so far; a log may have been trimmed under it
        self._recovering = False
        self._tools: ToolRound | None = None  # those that run now
        self._failed_on: set[str] = set()  # nodes
        self._news = asyncio.Event()

    def stop(self) -> None:
        """Somebody wants the stream stopped: what it wrote so far is kept."""
        if not self._halted.done():
            self._halted.set_result(None)

    def lose(self) -> None:
        """The stream is another worker's now: write nothing more."""
        if not self._halted.done():
            self._halted.set_exception(LogFenced("Its lease is another worker's."))
            self._halted.exception()  # nobody may come to look at it

    async def carry(self) -> None:
        """Returns when the stream has ended, or is not ours. Cancelled, it hands the stream over."""
        try:
            with metrics.STREAMS_ACTIVE.track_inprogress(), bound_contextvars(stream=str(self._id)):
                await self._carry()
        except LogFenced:
            logger.info("Stream %s is carried by another worker now.", self._id)
        except asyncio.CancelledError:
            if self.claim is not None:
                with suppress(*DATABASE_AWAY):  # then the reaper finds it without a lease
                    await in_db(lifecycle.hand_over, self.claim)
            raise
        finally:
            if self._ask is not None:
                await self._ask.close()

    async def _carry(self) -> None:
        stream = self._job.stream
        if self._job.looks_up and await in_db(queued.answer, stream, self._job.system, self._job.said):
            return
        route = await self._route()
        if isinstance(route, Route) and stream.started_at is None and not self._job.crowded:
            # The node is asked while the claim is written: most of the first token's way is waiting.
            self._begin(route, self._request(route))
        model, node, name = (
            (route.model, route.node, route.name)
            if isinstance(route, Route)
            else (stream.requested_model, self._means.router.where, "")
        )
        claim = await in_db(lifecycle.claim, stream, self._means.lease, model=model, node=node, node_name=name)
        if claim is None:
            return
        self.claim = claim
        if claim.taken_over and claim.stream.started_at is not None:
            ran = (timezone.now() - claim.stream.started_at).total_seconds() - claim.stream.waited_s
            self._tally.began = self._loop.time() - max(0.0, ran)
            self._tally.go_on(claim.stream.usage, claim.stream.timings)
        try:
            outcome = await self._outcome(claim, route)
        except (LogFenced, asyncio.CancelledError):
            raise
        except Exception:
            logger.exception("Stream %s failed in a way that nobody foresaw.", self._id)
            outcome = self._failed(
                LiveError(ErrorCode.INTERNAL, "Something went wrong on our side; it was logged. Try again.")
            )
        if outcome is not None:
            await self._keep(claim, outcome)
            await self._finish(claim, outcome)

    async def _route(self) -> Route | LiveError:
        """Where it runs, with the tools that it may use there, or why it cannot."""
        stream = self._job.stream
        options = RouteOptions.model_validate(stream.request["options"].get("route") or {})
        try:
            route = await self._means.router.route(
                stream.requested_model, options, began_on=stream.node_name, avoid=self._failed_on
            )
            self._toolbox = await self._means.tools.toolbox(
                stream.request["options"], caller_runs=bool(stream.request.get("caller_runs_tools"))
            )
            return route
        except LiveError as error:
            return error

    async def _outcome(self, claim: Claim, route: Route | LiveError) -> Outcome | None:
        """Write the answer, as far as it comes, to the log; what it amounts to is left to be saved.

        None where the stream waits for somebody, and is not ours meanwhile.
        """
        await takeover.start_is_on_log(claim)
        left = await takeover.left_by_others(self._means.log, claim) if claim.taken_over else takeover.NOTHING
        for each in left.written:
            self._answer.apply(each.entry, each.at)
        self._answer.thinking.pause()
        self._tally.found(self._answer.start.tokens, self._answer.written)
        known = [each.entry for each in left.written] if left.is_whole else []
        out = StreamWriter(self._means.log, self._log, claim.fence, written=known, last=left.last)
        if claim.stream.stop_requested_at is not None:
            return self._stopped()
        if claim.stream.takeovers > MAX_TAKEOVERS:
            return self._failed(
                LiveError(ErrorCode.STREAM_INTERRUPTED, "The answer was cut off several times. Try again.")
            )
        if isinstance(route, LiveError) and not claim.taken_over:
            return self._failed(route)
        self._lost = WORKER_LOST if claim.taken_over else NODE_LOST
        self._is_known = left.is_whole
        return await self._asked(out, route)

    async def _asked(self, out: StreamWriter, route: Route | LiveError) -> Outcome | None:
        """Ask, and run the tools that are called, until what the node says is the stream's end; None if it waits."""

        async def put(entries: Sequence[Entry]) -> None:
            await self._put(out, entries)

        reporter = asyncio.create_task(self._report())
        step: Ask | ToolRound | None = self._ask
        try:
            while True:
                if step is None:
                    where = await self._recover(route, said=False) if isinstance(route, LiveError) else route
                    if isinstance(where, Outcome):
                        return where
                    await self._move_to(where)
                    step = self._open_round(out) or self._begin(where, await self._next_request(where))
                    route = where
                decision: Outcome | Route | ToolRound | Next | None
                if isinstance(step, ToolRound):
                    decision = await self._run_tools(step)
                else:
                    decision = await self._decide(out, await step.write(put, self._halted, self._seconds_left()))
                if isinstance(decision, ToolRound):
                    step = decision
                elif decision is Next.ASK:
                    step = None
                elif isinstance(decision, Route):
                    step, route = None, decision
                else:
                    return decision
                if self._ask is not None:
                    await self._ask.close()
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)

    async def _decide(self, out: StreamWriter, outcome: AskOutcome) -> Outcome | Route | ToolRound:
        """What follows from one ask: how the stream ends, which tools to run, or where to ask again."""
        match outcome:
            case Finished("stop" | "tool_calls" as reason, calls) if calls and self._toolbox.runs_here:
                round = self._tool_round(out)
                if self._may_call:
                    return round
                await round.refuse()
                return self._ended(finish_reason=reason)
            case Finished(reason):
                await self._put(out, [])  # an answer without a word takes back what came before it, too
                await self._put(out, list(self._answer.closing_entries()))
                return self._ended(finish_reason=reason)
            case Halted():
                return self._stopped()
            case NodeFailed(error, said):
                return await self._recover(error, said=said)
            case TimedOut():
                return self._timed_out()

    async def _run_tools(self, round: ToolRound) -> Outcome | Next | ToolRound | None:
        """Run a round of tools, within the time that the stream has left; then ask again, or wait for somebody."""
        assert self.claim is not None
        written = self._answer.written
        self._tools = round
        running = asyncio.create_task(round.settle())
        try:
            left = max(0.0, self._seconds_left())
            await asyncio.wait((running, self._halted), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._tools = None
            over = running.done()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if self._halted.done():
            self._halted.result()  # whoever lost the stream writes nothing more
        await round.at_rest()
        if self._halted.done():
            return self._stopped()
        if not over:
            return self._timed_out()
        if running.result() is Settled.ALL:
            self._tally.next_round(written)
            return Next.ASK
        usage = self._tally.usage(self._answer.written)
        timings = self._tally.timings(self._loop.time())
        match await in_db_at_last(lifecycle.set_aside, self.claim, usage, timings):
            case SetAside.WAITS:
                self.claim = None
                return None
            case SetAside.LOST:
                raise LogFenced("Its lease is another worker's.")
            case SetAside.DECIDED:
                if await in_db_at_last(lifecycle.is_stopping, self.claim):
                    return self._stopped()
                return round

    @property
    def _may_call(self) -> bool:
        return len(self._answer.rounds.whole) < self._means.tool_rounds

    def _tool_round(self, out: StreamWriter) -> ToolRound:
        assert self.claim is not None

        async def put(entries: Sequence[Entry]) -> None:
            await self._put(out, entries)

        return ToolRound(self.claim, self._answer, self._toolbox, self._means.tools, put)

    def _open_round(self, out: StreamWriter) -> ToolRound | None:
        """The tools that an earlier owner had begun to run, if there are any."""
        answer, round = self._answer, self._answer.rounds.open
        called = any(answer.call(id)["status"] != "streaming" for id in round.calls)
        return self._tool_round(out) if called and not round.is_whole else None

    async def _next_request(self, route: Route) -> ChatRequest:
        """Go on after the text so far where the engine is known to; else have void what was said since the last tools
        gave their results, and begin again from there."""
        answer = self._answer
        if self._may_continue and self._is_known and answer.is_plain_text and await route.can_continue():
            self._void = ""
            self._show_recovering(True)
            return self._request(route, so_far=answer.text)
        if not (self._is_known and answer.rounds.is_between):
            self._void = self._lost
            self._show_recovering(True)
        return self._request(route)

    def _request(self, route: Route, *, so_far: str = "") -> ChatRequest:
        """What to ask now, with the tools that were used so far and what they gave."""
        return chat_request(
            self._job,
            route,
            self._toolbox,
            rounds=self._answer.round_messages(with_thoughts=route.wants_thoughts),
            last_round=not self._may_call,
            so_far=so_far,
            written=self._answer.tokens if so_far else self._answer.start.tokens,
        )

    def _begin(self, route: Route, request: ChatRequest) -> Ask:
        """Ask the node; what it says is read from now on, and written once there is a right to."""
        start = self._answer.start
        self._progress.asked(request)
        self._continuing = bool(request.continue_text)
        self._ask = Ask(route, request, self._id, first_step=start.steps, taken=start.calls)
        self._tally.add(self._ask, self._answer.written if self._continuing else 0)
        return self._ask

    async def _put(self, out: StreamWriter, entries: Sequence[Entry]) -> None:
        if self._void:
            # Only now, so that what was said is kept where the node says nothing any more.
            entries = [*self._answer.begin_again(self._void), *entries]
            self._void, self._is_known = "", True
        if not entries:
            return
        if self._recovering:
            self._show_recovering(False)
        if await out.write(entries):
            self.stop()
        for entry in entries:
            self._answer.apply(entry, self._loop.time())
            self._means.meter.add(entry.n)

    def _seconds_left(self) -> float:
        return self._tally.began + self._means.stream_timeout - self._loop.time()

    async def _report(self) -> None:
        """Tell whoever watches how far it is, while it lasts. Nobody misses a report that is lost."""
        await self._progress.learn(self._means.log)
        shown = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(Progress.INTERVAL_S):
                    await self._news.wait()
            self._news.clear()
            if self._recovering != shown and self.claim is not None:
                shown = self._recovering
                with suppress(*DATABASE_AWAY):
                    await in_db(lifecycle.show_recovering, self.claim, shown)
            await self._publish_progress()

    async def _publish_progress(self) -> None:
        told = self._tools.told if self._tools is not None else {}
        body = self._progress.body(self._answer, self._loop.time(), self._tally.first_at, told)
        if self._recovering:
            body["phase"] = "recovering"
        with suppress(LogUnavailable):
            await self._means.log.publish(self._log, "progress", body)

    # Recovering ---------------------------------------------------------------------------------------------------

    async def _recover(self, error: LiveError, *, said: bool) -> Outcome | Route:
        """Where the stream goes on after a node failed it, once that is worth a try; its end where it is not."""
        stream = self._job.stream
        self._lost = self._lost if not said else NODE_LOST
        while True:
            self._failed_on.add(stream.node_name)
            refused = self._continuing and not said and not error.retryable
            self._may_continue = self._may_continue and not refused
            route = await self._route()
            elsewhere = isinstance(route, Route) and route.name not in self._failed_on
            wait = self._recovery.wait(error, self._loop.time(), said=said, insist=refused, elsewhere=elsewhere)
            if wait is None or wait >= self._seconds_left():
                return self._failed(error)
            metrics.RETRIES.inc()
            logger.info("Stream %s: %s It is asked again in %g s.", self._id, error.message, wait)
            self._show_recovering(True)
            await asyncio.wait((self._halted,), timeout=wait)
            if self._halted.done():
                self._halted.result()
                return self._stopped()
            if not elsewhere:
                route = await self._route()
            if isinstance(route, Route):
                return route
            error, said, self._continuing = route, False, False

    async def _move_to(self, route: Route) -> None:
        """Have the row say where the answer comes from now."""
        stream, claim = self._job.stream, self.claim
        if claim is None or (route.name, route.model) == (stream.node_name, stream.model):
            return
        stream.model, stream.node, stream.node_name = route.model, route.node, route.name
        with suppress(*DATABASE_AWAY):
            await in_db(lifecycle.move, claim)

    def _show_recovering(self, recovering: bool) -> None:
        self._recovering = recovering
        self._news.set()

    # Ending -------------------------------------------------------------------------------------------------------

    def _stopped(self) -> Outcome:
        return self._ended(finish_reason="stopped")

    def _failed(self, error: LiveError) -> Outcome:
        return self._ended(error=error)

    def _timed_out(self) -> Outcome:
        seconds = f"{self._means.stream_timeout:g}"
        return self._failed(
            LiveError(
                ErrorCode.STREAM_TIMEOUT,
                f"The answer took longer than {seconds} seconds and was ended; its text is kept.",
            )
        )

    def _ended(self, *, finish_reason: str = "", error: LiveError | None = None) -> Outcome:
        timings = self._tally.timings(self._loop.time())
        timings["thoughts_ms"] = self._answer.thinking.ms
        return Outcome(
            finish_reason=finish_reason,
            error=error,
            content=self._answer.content,
            parts=self._answer.parts,
            usage=self._tally.usage(self._answer.written),
            timings=timings,
        )

    async def _keep(self, claim: Claim, outcome: Outcome) -> None:
        """Put the answer into the cache, before anybody can know that it is whole. Not one that was written in parts."""
        if claim.taken_over or self._tally.continued or not is_wanted(claim.stream):
            return
        messages = looking.conversation_of(claim.stream, self._job.system, self._job.said)
        if messages is not None:
            await in_db(looking.keep, claim.stream, messages, outcome)

    async def _finish(self, claim: Claim, outcome: Outcome) -> None:
        """Save the end. A database that is gone is waited for: nothing of the answer is lost."""
        ended = await in_db_at_last(lifecycle.finish, claim, outcome)
        self.claim = None
        if not ended:
            logger.info("Stream %s had been ended, or taken over, by somebody else.", self._id)
            return
        await self._progress.keep(self._means.log, self._answer, outcome.finish_reason)
        metrics.STREAMS.labels(outcome.status.value).inc()
        metrics.TOKENS.inc(outcome.usage["completion_tokens"])
        if (first := outcome.timings["first_token_ms"]) is not None:
            metrics.LATENCY_MS.observe(first)
            if (of_the_node := self._tally.first_of_the_node_ms) is not None:
                metrics.OVERHEAD_MS.observe(max(0.0, first - of_the_node))
        if (speed := outcome.timings["tokens_per_second"]) is not None:
            metrics.TOKENS_PER_SECOND.observe(speed)
        with suppress(LogUnavailable):
            metrics.LOG_LENGTH.observe(await self._means.log.length(claim.stream.log))
        if outcome.error is not None:
            metrics.ERRORS.labels(outcome.error.code.value).inc()
            logger.warning(
                "Stream %s failed, node %s: %s", self._id, claim.stream.node_name or "none", outcome.error.message
            )
