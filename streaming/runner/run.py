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

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from hanzo_live.protocol.options import RouteOptions
from streaming import metrics
from streaming.cache import looking
from streaming.cache.question import is_wanted
from streaming.database import in_db
from streaming.endings import Outcome
from streaming.log import Entry, LogFenced, LogUnavailable, LogWriter
from streaming.node import ChatRequest
from streaming.runner import lifecycle
from streaming.runner.answer import NUMBERED, Answer
from streaming.runner.ask import Ask, AskOutcome, Finished, Halted, NodeFailed, TimedOut
from streaming.runner.asking import chat_request
from streaming.runner.lifecycle import Claim, Job, SetAside
from streaming.runner.meter import Meter
from streaming.runner.progress import Progress
from streaming.runner.routing import Route, Router
from streaming.runner.stream_writer import RETRY_DELAYS_S, StreamWriter
from streaming.runner.tally import Tally
from streaming.runner.tool_round import Settled, ToolRound
from streaming.tools.toolbox import Toolbox, Toolkit

logger = logging.getLogger(__name__)

# Workers that may be lost under one stream; an answer that takes them all down must end.
MAX_TAKEOVERS = 3

VOID = "The worker that wrote this was lost, and the model begins again."


@dataclass(frozen=True, slots=True)
class Means:
    """What every stream of a worker process uses. `lease` is the process's name in the database."""

    lease: str
    log: LogWriter
    router: Router
    stream_timeout: float
    meter: Meter
    tools: Toolkit
    tool_rounds: int


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
        self._on: Route | None = None
        """Where it is asked."""
        self._ask: Ask | None = None
        self._toolbox = Toolbox()
        self._halted: asyncio.Future[None] = self._loop.create_future()
        self._tally = Tally(self._loop.time())

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
            if self._ask is not None:
                await self._ask.close()

    async def _carry(self) -> None:
        stream = self._job.stream
        route = await self._route()
        if isinstance(route, Route) and stream.started_at is None and not self._job.crowded:
            # The node is asked while the claim is written: most of the first token's way is waiting.
            self._begin(self._request(route))
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
            self._on = await self._means.router.route(stream.requested_model, options, began_on=stream.node_name)
            self._toolbox = await self._means.tools.toolbox(
                stream.request["options"], caller_runs=bool(stream.request.get("caller_runs_tools"))
            )
            return self._on
        except LiveError as error:
            return error

    async def _outcome(self, claim: Claim, route: Route | LiveError) -> Outcome | None:
        """Write the answer, as far as it comes, to the log; what it amounts to is left to be saved.

        None where the stream waits for somebody, and is not ours meanwhile.
        """
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
        return await self._asked(out, self._ask or await self._again(out, route, last))

    async def _asked(self, out: StreamWriter, ask: Ask | ToolRound) -> Outcome | None:
        """Ask, and run the tools that are called, until what the node says is the stream's end; None if it waits."""

        async def put(entries: Sequence[Entry]) -> None:
            await self._put(out, entries)

        reporter = asyncio.create_task(self._report())
        try:
            while True:
                left = self._tally.began + self._means.stream_timeout - self._loop.time()
                if isinstance(ask, ToolRound):
                    decision = await self._run_tools(ask, left)
                else:
                    decision = await self._decide(out, await ask.write(put, self._halted, left))
                    await ask.close()
                if isinstance(decision, ToolRound):
                    ask = decision
                elif isinstance(decision, ChatRequest):
                    ask = self._begin(decision)
                else:
                    return decision
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)

    async def _decide(self, out: StreamWriter, outcome: AskOutcome) -> Outcome | ChatRequest | ToolRound:
        """What follows from one ask: how the stream ends, which tools to run, or what to ask next."""
        match outcome:
            case Finished("stop" | "tool_calls" as reason, calls) if calls and self._toolbox.runs_here:
                round = self._tool_round(out)
                if self._may_call:
                    return round
                await round.refuse()
                return self._ended(finish_reason=reason)
            case Finished(reason):
                await self._put(out, list(self._answer.closing_entries()))
                return self._ended(finish_reason=reason)
            case Halted():
                return self._stopped()
            case NodeFailed(error):
                return self._failed(error)
            case TimedOut():
                return self._timed_out()

    async def _run_tools(self, round: ToolRound, left: float) -> Outcome | ChatRequest | ToolRound | None:
        """Run a round of tools, within the time that the stream has left; then ask again, or wait for somebody."""
        assert self.claim is not None
        running = asyncio.create_task(round.settle())
        try:
            await asyncio.wait((running, self._halted), timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
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
            assert self._on is not None  # it was asked there
            return self._request(self._on)
        usage = self._tally.usage(self._answer.tokens)
        timings = self._tally.timings(usage, self._loop.time())
        match await in_db(lifecycle.set_aside, self.claim, usage, timings):
            case SetAside.WAITS:
                self.claim = None
                return None
            case SetAside.LOST:
                raise LogFenced("Its lease is another worker's.")
            case SetAside.DECIDED:
                if await in_db(lifecycle.is_stopping, self.claim):
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

    def _request(self, route: Route, *, so_far: str = "", written: int = 0) -> ChatRequest:
        """What to ask now, with the tools that were used so far and what they gave."""
        return chat_request(
            self._job,
            route,
            self._toolbox,
            rounds=self._answer.round_messages,
            last_round=not self._may_call,
            so_far=so_far,
            written=written or self._answer.tokens,
        )

    def _begin(self, request: ChatRequest) -> Ask:
        """Ask the node; what it says is read from now on, and written once there is a right to."""
        answer = self._answer
        self._progress.asked(request)
        assert self._on is not None  # there is no request without a route
        self._ask = Ask(self._on, request, self._id, first_step=answer.steps, taken=answer.calls)
        self._tally.add(self._ask)
        return self._ask

    async def _put(self, out: StreamWriter, entries: Sequence[Entry]) -> None:
        if entries and await out.write(entries):
            self.stop()
        for entry in entries:
            self._answer.apply(entry, self._loop.time())
            self._means.meter.add(entry.n)

    async def _report(self) -> None:
        """Tell whoever watches how far it is, while it lasts. Nobody misses a report that is lost."""
        await self._progress.learn(self._means.log)
        while True:
            await asyncio.sleep(Progress.INTERVAL_S)
            body = self._progress.body(self._answer, self._loop.time(), self._tally.first_at)
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
            self._answer.apply(event, event.ts / 1000)
        self._answer.thinking.pause()
        entries = [Entry(event.type, self._id, event.data, event.n, event.step, event.body or None) for event in mine]
        # A log that was trimmed under the stream cannot be said again; then the answer begins with a reset.
        return (entries, last) if len(entries) == last else ([], last)

    async def _again(self, out: StreamWriter, route: Route, last: int) -> Ask | ToolRound:
        """Go on with the tools that were called, or after the text so far where the engine is known to; else tell
        everybody to forget what was said since the last tools, and begin again from there."""
        answer = self._answer
        called = any(answer.call(id)["status"] != "streaming" for id in answer.rounds.open.calls)
        if called and not answer.rounds.open.is_whole:
            self._count_earlier(answer.tokens)
            return self._tool_round(out)
        if answer.is_plain_text and await route.can_continue():
            self._tally.continued = answer.tokens
            return self._begin(self._request(route, so_far=answer.content, written=answer.tokens))
        if last and not (answer.rounds.whole and answer.rounds.is_between):
            await self._put(out, answer.begin_again(VOID))
        self._count_earlier(answer.tokens)
        return self._begin(self._request(route))

    def _count_earlier(self, tokens: int) -> None:
        """Tokens of earlier owners that still count, where none of them kept a count."""
        if self.claim is not None and self.claim.stream.usage is None:
            self._tally.continued = tokens

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
        usage = self._tally.usage(self._answer.tokens)
        timings = self._tally.timings(usage, self._loop.time())
        timings["thoughts_ms"] = self._answer.thinking.ms
        return Outcome(
            finish_reason=finish_reason,
            error=error,
            content=self._answer.content,
            parts=self._answer.parts,
            usage=usage,
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
        await self._progress.keep(self._means.log, self._answer, outcome.finish_reason)
        metrics.STREAMS.labels(outcome.status.value).inc()
        metrics.TOKENS.inc(outcome.usage["completion_tokens"])
        if (first := outcome.timings["first_token_ms"]) is not None:
            metrics.LATENCY_MS.observe(first)
        if outcome.error is not None:
            metrics.ERRORS.labels(outcome.error.code.value).inc()
            logger.warning(
                "Stream %s failed, node %s: %s", self._id, claim.stream.node_name or "none", outcome.error.message
            )


async def _pause(attempt: int) -> None:
    await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
