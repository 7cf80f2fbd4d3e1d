"""One round of tools: the calls that the model has made, run until each has its result or has to wait for somebody.

Everything that happens is put on the log as it happens, and what is there is all that counts: a worker that takes over
goes on from it. A tool that was running when its worker was lost is run again only where that does no harm.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from sessions.queries import user_wire
from streaming.log import Entry
from streaming.models import ToolCall, ToolCallStatus
from streaming.runner import lifecycle
from streaming.runner.answer import Answer, arguments_of
from streaming.runner.lifecycle import Claim
from streaming.runner.patience import in_db_at_last
from streaming.tools.specs import Told, ToolContext, ToolKind, ToolOutcome, ToolSpec
from streaming.tools.toolbox import Toolbox, Toolkit

Put = Callable[[Sequence[Entry]], Awaitable[None]]

NO_OBJECT = "The arguments are no JSON object. Write them as one."
LOST = "The worker was lost while this tool ran. Whether it did its work is not known."
TOO_MANY = "No more tools may be called in this answer: answer with what is known."


class Settled(StrEnum):
    """All calls have their results, or some wait for somebody."""

    ALL = "all"
    SOME_WAIT = "some wait"


class ToolRound:
    """The open round of one stream. `put` brings entries to the log and to `answer`."""

    def __init__(self, claim: Claim, answer: Answer, toolbox: Toolbox, kit: Toolkit, put: Put) -> None:
        self._claim = claim
        self._answer = answer
        self._toolbox = toolbox
        self._kit = kit
        self._put_all = put
        self._id = str(claim.stream.pk)
        stream = claim.stream
        self._context = ToolContext(
            stream=self._id,
            session=str(stream.session_id) if stream.session_id else None,
            user=str(stream.user_id) if stream.user_id else None,
        )
        # Tools that run at once end at once: their results are put one after the other.
        self._putting = asyncio.Lock()
        self._put_last: asyncio.Future[None] | None = None
        self._started: set[str] = set()
        self.told: dict[str, Told] = {}
        """How far the running calls say they are, by id; of those that do."""

    async def settle(self) -> Settled:
        """Run what can run. Afterwards either the model can be asked again, or the stream may be set aside."""
        await self._begin_calls()
        await self._find_lost()
        while True:
            await self._take_decisions()
            running = [id for id in self._open() if self._state(id)["status"] == "running"]
            if not running:
                return Settled.SOME_WAIT if self._open() else Settled.ALL
            tasks = [asyncio.create_task(self._run(id)) for id in running]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def at_rest(self) -> None:
        """Once `settle` was cancelled: wait until what it was putting on the log is there."""
        if self._put_last is not None:
            await self._put_last

    async def refuse(self) -> None:
        """Run nothing: the calls fail, for there were too many."""
        await self._put([self._result(id, ToolOutcome(error=TOO_MANY)) for id in self._open()])

    # What becomes of a call ---------------------------------------------------------------------------------------

    async def _begin_calls(self) -> None:
        """From arguments as the model wrote them to a call that runs, waits, or has failed already."""
        entries: list[Entry] = []
        waiting: list[tuple[str, str, ToolCallStatus]] = []
        for id in self._open():
            state = self._state(id)
            if state["status"] != "streaming":
                continue
            args, spec = arguments_of(state["args_text"]), self._toolbox.tools.get(state["tool"])
            if args is None:
                entries.append(self._result(id, ToolOutcome(error=NO_OBJECT)))
            elif spec is None:
                entries.append(self._call(id, "running", args=args))
                entries.append(self._result(id, ToolOutcome(error=self._unknown(state["tool"]))))
            elif (status := _waits_for(spec)) is not None:
                waiting.append((id, state["tool"], status))
                entries.append(self._call(id, status.value, args=args))
            else:
                self._started.add(id)
                entries.append(self._call(id, "running", args=args))
        if waiting:
            await in_db_at_last(lifecycle.wait_for_calls, self._claim, waiting)
        await self._put(entries)

    async def _find_lost(self) -> None:
        """Calls that were running when an earlier worker was lost."""
        lost = []
        for id in self._open():
            if self._state(id)["status"] == "running" and id not in self._started:
                spec = self._toolbox.tools.get(self._state(id)["tool"])
                if spec is None or not spec.repeatable:
                    lost.append(self._result(id, ToolOutcome(error=LOST)))
        # Those whose approval was not acted on yet had not begun.
        approved = {row.call for row in await in_db_at_last(self._decided) if row.status == ToolCallStatus.APPROVED}
        await self._put([entry for entry in lost if entry.body and entry.body["call"] not in approved])

    async def _take_decisions(self) -> None:
        """Go on with what people and clients have decided."""
        for row in await in_db_at_last(self._decided):
            if row.call not in self._open():
                await in_db_at_last(lifecycle.settle_call, row)
                continue
            user = user_wire(row.user) if row.user is not None else None
            spec = self._toolbox.tools.get(row.tool)
            if row.status == ToolCallStatus.DENIED:
                who = f" by {row.user.name}" if row.user is not None else ""
                words = f"This call was denied{who}." + (f" {row.reason}" if row.reason else "")
                await self._put(
                    [self._call(row.call, "denied", user=user), self._result(row.call, ToolOutcome.failed(words))]
                )
            elif row.status == ToolCallStatus.ANSWERED:
                seconds = (row.decided_at - row.created_at).total_seconds() if row.decided_at else None
                await self._put([self._result(row.call, ToolOutcome(row.output, row.error), seconds)])
            elif spec is not None and spec.kind is ToolKind.CLIENT:
                if row.status == ToolCallStatus.APPROVED:
                    await in_db_at_last(lifecycle.hand_to_client, row)
                await self._put([self._call(row.call, ToolCallStatus.AWAITING_CLIENT.value, user=user)])
                continue
            else:
                await self._put([self._call(row.call, "running", user=user)])
            await in_db_at_last(lifecycle.settle_call, row)

    async def _run(self, id: str) -> None:
        state = self._state(id)
        spec = self._toolbox.tools.get(state["tool"])
        began = time.monotonic()
        if spec is None or spec.kind is ToolKind.CLIENT:
            outcome = ToolOutcome(error=self._unknown(state["tool"]))
        else:
            outcome = await self._kit.call(
                self._toolbox, spec, state["args"] or {}, self._context, partial(self.told.__setitem__, id)
            )
            self.told.pop(id, None)
        await self._put([self._result(id, outcome, time.monotonic() - began)])

    # Entries ------------------------------------------------------------------------------------------------------

    async def _put(self, entries: Sequence[Entry]) -> None:
        async with self._putting:
            # Finished even where the tools are cancelled: what is on the log must be in the answer.
            self._put_last = asyncio.ensure_future(self._put_all(entries))
            await asyncio.shield(self._put_last)

    def _call(self, id: str, status: str, *, args: dict[str, Any] | None = None, user: Any = None) -> Entry:
        body: dict[str, Any] = {"call": id, "tool": self._state(id)["tool"], "status": status}
        if args is not None:
            body["args"] = args
        if user is not None:
            body["user"] = user
        return Entry("tool_call", self._id, body=body)

    def _result(self, id: str, outcome: ToolOutcome, seconds: float | None = None) -> Entry:
        body: dict[str, Any] = {"call": id}
        if outcome.error is None:
            body["result"] = outcome.result
        else:
            body["error"] = outcome.error
        if seconds is not None:
            body["duration_ms"] = round(seconds * 1000, 1)
        return Entry("tool_result", self._id, body=body)

    def _open(self) -> list[str]:
        round = self._answer.rounds.open
        return [id for id in round.calls if id not in round.results]

    def _state(self, id: str) -> Any:
        return self._answer.call(id)

    def _decided(self) -> list[ToolCall]:
        """Calls on which somebody has acted; also one that was approved for its client, and the log does not say so."""
        rows = list(lifecycle.decided_calls(self._claim.stream.pk))
        approved = [id for id in self._open() if self._state(id)["status"] == ToolCallStatus.AWAITING_APPROVAL]
        return rows + list(lifecycle.handed_calls(self._claim.stream.pk, approved) if approved else ())

    def _unknown(self, name: str) -> str:
        known = ", ".join(list(self._toolbox.tools)[:20])
        return f"There is no tool named {name[:200]}. " + (f"There are: {known}." if known else "There are none.")


def _waits_for(spec: ToolSpec) -> ToolCallStatus | None:
    if spec.ask_first:
        return ToolCallStatus.AWAITING_APPROVAL
    return ToolCallStatus.AWAITING_CLIENT if spec.kind is ToolKind.CLIENT else None
