"""One ask: a request to a node, and what comes of it on the log, up to why no more comes.

The node's reader only adds to memory and the writer takes from there, so that reading never waits for storage. What an
outcome means for the stream (its end, tools to run, another ask) is `run`'s to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from hanzo_live.protocol.errors import LiveError
from streaming.log import Entry
from streaming.node import (
    ChatRequest,
    ChatStream,
    Finish,
    FinishReason,
    NodeEvent,
    Thought,
    ToolCallDelta,
    Usage,
)
from streaming.runner.batching import Batcher

# Characters that may wait for the log before the node has to: only a Redis that is gone gets there.
MAX_WAITING = 4 * 1024 * 1024
# How long the node may take to close a connection that can be used again, once the answer is whole.
GOODBYE_S = 1.0

Put = Callable[[Sequence[Entry]], Awaitable[None]]


class Answering(Protocol):
    """What can be asked: a node's client, or a route to one."""

    def chat(self, request: ChatRequest) -> AbstractAsyncContextManager[ChatStream]: ...


@dataclass(frozen=True, slots=True)
class AskedCall:
    """A tool call that the model made in this ask; `args_text` is JSON as the model wrote it, valid or not."""

    id: str
    name: str
    args_text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The node told its whole answer; `calls` in the order in which the model began them."""

    reason: FinishReason
    calls: tuple[AskedCall, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeFailed:
    """The node refused, died, stalled, was cut off or spoke rubbish. What it had `said` is on the log."""

    error: LiveError
    said: bool


@dataclass(frozen=True, slots=True)
class Halted:
    """Somebody wanted the stream stopped, or it is another worker's now."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The time that the stream had is used up."""


AskOutcome = Finished | NodeFailed | Halted | TimedOut


@dataclass(slots=True)
class _Call:
    id: str
    name: str = ""
    args: list[str] = field(default_factory=list)

    def whole(self) -> AskedCall:
        return AskedCall(self.id, self.name, "".join(self.args))


class Ask:
    """Asks the node at once, in the background; `write` then brings what it says to the log.

    To be closed in any case: it is what makes an engine stop. Where an earlier ask of the same stream has had thoughts
    or tool calls, `first_step` numbers this one's first thought, and its calls get other ids than those in `taken`.
    """

    def __init__(
        self,
        node: Answering,
        request: ChatRequest,
        stream: str,
        *,
        first_step: int = 0,
        taken: Collection[str] = (),
    ) -> None:
        self._node = node
        self._request = request
        self._first_step = first_step
        self._taken = taken
        self._loop = asyncio.get_running_loop()
        self._batcher = Batcher(stream)
        self._chat: ChatStream | None = None
        self._calls: dict[str, _Call] = {}
        self._whole: asyncio.Future[FinishReason] = self._loop.create_future()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self.asked_at = self._loop.time()
        self.first_at: float | None = None
        """When the node's first word came, by the loop's clock."""
        self.over_at: float | None = None
        """When it was known how this ask ended."""
        self._reader = asyncio.create_task(self._read())

    @property
    def usage(self) -> Usage | None:
        """What the node counted, or an estimate until it does; None before it was asked."""
        return None if self._chat is None else self._chat.usage

    async def write(self, put: Put, halted: asyncio.Future[None], seconds: float) -> AskOutcome:
        """Give all that the node says to `put`, until it has said all, fails, `halted` is done or `seconds` are over.

        Raises what `put` raises, what `halted` is told to raise, and what nobody foresaw of the node.
        """
        writer = asyncio.create_task(self._write(put))
        try:
            await asyncio.wait(
                (self._whole, self._reader, halted, writer),
                timeout=max(0.0, seconds),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not self._whole.done():
                await self.close()  # at once
            if halted.done():
                halted.result()  # whoever lost the stream writes nothing more
            self._closing = True
            self._wake.set()
            await writer
            return self._judge(halted)
        finally:
            self.over_at = self._loop.time()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def close(self) -> None:
        """Stop asking; a whole answer's connection gets a moment to become free for another ask."""
        if self._whole.done() and not self._reader.done():
            await asyncio.wait((self._reader,), timeout=GOODBYE_S)
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    def _judge(self, halted: asyncio.Future[None]) -> AskOutcome:
        if self._whole.done():
            return Finished(self._whole.result(), tuple(call.whole() for call in self._calls.values()))
        if halted.done():
            return Halted()
        error = None if self._reader.cancelled() else self._reader.exception()
        if isinstance(error, LiveError):
            return NodeFailed(error, said=self.first_at is not None)
        if error is not None:
            raise error
        return TimedOut()

    # Reading the node ---------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        async with self._node.chat(self._request) as chat:
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
            return
        if isinstance(event, Usage):
            return
        if self.first_at is None:
            self.first_at = self._loop.time()
        if isinstance(event, ToolCallDelta):
            event = self._of_call(event)
        elif self._first_step and isinstance(event, Thought):
            event = replace(event, step=self._first_step + event.step)
        self._batcher.add(event)

    def _of_call(self, delta: ToolCallDelta) -> ToolCallDelta:
        call = self._calls.get(delta.id)
        if call is None:
            call = self._calls[delta.id] = _Call(self._free_id(delta.id))
        call.name = delta.name or call.name
        call.args.append(delta.args_delta)
        return delta if call.id == delta.id else replace(delta, id=call.id)

    def _free_id(self, id: str) -> str:
        """Engines without ids of their own count anew in each answer."""
        if id not in self._taken:
            return id
        return next(free for n in count(2) if (free := f"{id}_{n}") not in self._taken and free not in self._calls)

    # Writing the log ----------------------------------------------------------------------------------------------

    def _ring(self) -> None:
        """Wake the writer now, or when the next batch is due."""
        wait = self._batcher.due(self._loop.time())
        if wait == 0:
            self._wake.set()
        elif wait is not None and self._timer is None:
            self._timer = self._loop.call_later(wait, self._wake.set)

    async def _write(self, put: Put) -> None:
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
                await put(entries)
                self._ring()
            elif self._closing:
                return
            if self._closing:
                self._wake.set()
