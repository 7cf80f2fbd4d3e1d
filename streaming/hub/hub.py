"""One hub a process: it is the group member, decodes an event once, encodes a frame once, and owns every position.

A round takes all events that came since the last one, merges them and writes the same bytes to every socket of a view.
While it writes, more arrive: the next round sends those merged. Nothing is queued per socket: one that is slow is a
position, caught up from the ring or the log when it has room again (`catching_up`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from hanzo_live.protocol.errors import ErrorCode, LiveError
from streaming.hub import metrics
from streaming.hub.catching_up import CatchingUp
from streaming.hub.frames import Sent, View, frame_of, frames_of
from streaming.hub.log_state import LogState, ViewState
from streaming.hub.ring import Taken
from streaming.hub.subscription import Phase, Subscription, Watcher
from streaming.layer import LiveLoopLayer
from streaming.log import Head, LogEvent, LogUnavailable
from streaming.log.script import group_of, noted, published
from streaming.servers import Frame

logger = logging.getLogger(__name__)

# Sockets written to before the loop may do something else: about 2 ms.
WRITES_AT_ONCE = 256
HEADS_EVERY_S = 3.0
REPAIR_DELAY_S = 0.2


class Hub(CatchingUp):
    """Made once per event loop by `the_hub()`. Everything here runs on that loop."""

    def __init__(self, layer: LiveLoopLayer) -> None:
        super().__init__(layer.log)
        self._layer = layer
        self._logs: dict[str, LogState] = {}
        self._channel = ""
        self._dirty: set[LogState] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._starting: asyncio.Task[None] | None = None
        self._controls: dict[str, set[Any]] = {}
        self.on_member_gone: Callable[[str, str], None] | None = None  # log, user

    # Joining and leaving ----------------------------------------------------------------------------------------

    async def subscribe(
        self,
        watcher: Watcher,
        log: str,
        view: View,
        *,
        tail: int,
        epoch: str | None = None,
        seq: int | None = None,
        start: Literal["head", "beginning"] | None = None,
        quiet: bool = False,
    ) -> tuple[Subscription, str]:
        """A held subscription that will go on from (`epoch`, `seq`) where it can, and the mode in which it does.

        `start` is for what the caller is about to begin: all that comes from now on (`head`), or in a log of its own, all
        of it (`beginning`). A `quiet` one is told nothing but its end. Call `release` once the reply is written. Raises LiveError where the log cannot be reached.
        """
        state = await self._join(log)
        subscription = Subscription(watcher, state, view, tail)
        subscription.epoch = state.epoch
        state.subscriptions.add(subscription)
        state.view(view).subscribers += 1
        state.joins -= 1
        head = state.ring.head
        if quiet:
            subscription.quiet, subscription.have = True, head
            return subscription, "live"
        if start:
            subscription.have = head if start == "head" else 0
            return subscription, "live"
        if epoch == state.epoch and seq is not None and seq <= head:
            subscription.have = seq
            mode = "live" if seq == head else await self._replay_mode(subscription)
        else:
            mode = "snapshot"
        subscription.snapshot_due = mode == "snapshot"
        return subscription, mode

    def hold(self, subscription: Subscription) -> None:
        """Send it nothing until it is released: a reply must come first."""
        if subscription.phase is Phase.ENDED:
            return
        self._take_out(subscription)
        subscription.phase = Phase.HELD

    def release(self, subscription: Subscription) -> None:
        """Let it go on from what it has."""
        if subscription.phase is Phase.HELD and not subscription.quiet:
            self._start_catching_up(subscription)

    def unsubscribe(self, subscription: Subscription) -> None:
        """Nothing more is sent. The log is left when nobody watches it any more."""
        if subscription.phase is Phase.ENDED:
            return
        self._take_out(subscription)
        subscription.phase = Phase.ENDED
        log = subscription.log
        log.subscriptions.discard(subscription)
        log.forget(subscription.view)
        if not log.subscriptions and not log.joins and self._logs.get(log.name) is log:
            del self._logs[log.name]
            if log.repair is not None:
                log.repair.cancel()
            self._background(self._leave(group_of(log.name)))

    def listen(self, group: str, listener: Any) -> None:
        """Call `listener(message)` for every message of a control group (`user.<id>`)."""
        listeners = self._controls.setdefault(group, set())
        listeners.add(listener)
        if len(listeners) == 1:
            self._background(self._enter(group))

    def unlisten(self, group: str, listener: Any) -> None:
        listeners = self._controls.get(group)
        if listeners is not None:
            listeners.discard(listener)
            if not listeners:
                del self._controls[group]
                self._background(self._leave(group))

    def subscriptions(self) -> list[Subscription]:
        """Every subscription of this process."""
        return [subscription for log in self._logs.values() for subscription in log.subscriptions]

    async def ping(self) -> None:
        """Raises LogUnavailable unless groups are heard."""
        await self._started()
        if not self._layer.connected:
            raise LogUnavailable("Redis is not connected.")

    async def close(self) -> None:
        for task in [*self._tasks, *self._background_tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._background_tasks, return_exceptions=True)

    async def _join(self, name: str) -> LogState:
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = LogState(name)
            self._background(self._bring_in(log))
        log.joins += 1
        try:
            await asyncio.shield(log.ready)
        except LogUnavailable as error:
            log.joins -= 1
            raise unavailable() from error
        except BaseException:
            log.joins -= 1
            raise
        return log

    async def _bring_in(self, log: LogState) -> None:
        """Subscribe first, and only then read the head: what comes between is in `early`."""
        try:
            await self._started()
            await self._layer.group_add(group_of(log.name), self._channel)
            head = await self._writer.head(log.name)
        except Exception as error:
            if self._logs.get(log.name) is log:
                del self._logs[log.name]
            failure = error if isinstance(error, LogUnavailable) else LogUnavailable(str(error))
            log.ready.set_exception(failure)
            log.ready.exception()  # seen, also where nobody waits any more
            if not isinstance(error, LogUnavailable):
                logger.exception("Joining %s failed.", log.name)
            return
        log.begin(head.epoch, head.seq)
        log.ready.set_result(None)
        for epoch, event in log.early:
            self._take_event(log, epoch, event)
        log.early.clear()

    async def _enter(self, group: str) -> None:
        with suppress(LogUnavailable):  # stands again with the connection
            await self._started()
            await self._layer.group_add(group, self._channel)

    async def _leave(self, group: str) -> None:
        # Somebody may have come back meanwhile; the layer keeps the order of what it sends.
        if group not in self._controls and group.replace(".", ":", 1) not in self._logs:
            await self._layer.group_discard(group, self._channel)

    async def _started(self) -> None:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        try:
            await asyncio.shield(self._starting)
        except Exception:
            self._starting = None
            raise

    async def _start(self) -> None:
        self._channel = await self._layer.new_channel()
        self._layer.on_reconnected = self._check_all
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._listen_on()), loop.create_task(self._rounds()), loop.create_task(self._check_heads()),
        ]  # fmt: skip

    # Hearing ----------------------------------------------------------------------------------------------------

    async def _listen_on(self) -> None:
        while True:
            for message in await self._layer.receive_all(self._channel):
                try:
                    self._take(message)
                except Exception:
                    logger.exception("A message of a group could not be taken: %r", message.get("type"))
            # Let the round and the sockets have the loop, whatever the rate.
            await asyncio.sleep(0)

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "log.event":
            log = self._logs.get(message["l"])
            if log is not None:
                self._take_event(log, message["e"], published(message))
        elif kind == "log.note":
            log = self._logs.get(message["l"])
            if log is not None and log.ready.done():
                event = noted(message)
                log.note(event["type"], event.get("stream", ""), event, frame_of(event))
                self._mark(log)
        elif kind == "log.ended":
            self.end_log(message["l"], message["reason"])
        else:
            for listener in list(self._controls.get(message.get("group", ""), ())):
                listener(message)

    def _take_event(self, log: LogState, epoch: str, event: LogEvent) -> None:
        if not log.ready.done():
            log.early.append((epoch, event))
            return
        if epoch != log.epoch:
            self._start_repair(log)
            return
        taken = log.ring.take(event)
        if taken is Taken.NEW:
            self._note_ending(log, event)
            self._mark(log)
        elif taken is Taken.GAP:
            self._start_repair(log)

    def _note_ending(self, log: LogState, event: LogEvent) -> None:
        """A member who goes gets everything up to here and nothing after it."""
        if event.type in ("complete", "error") and log.name.startswith("stream:"):
            log.is_over = True
        if event.type == "member" and event.body.get("action") in ("removed", "left"):
            gone = event.body["user"]["id"]
            if self.on_member_gone is not None:
                self.on_member_gone(log.name, gone)
            for subscription in list(log.subscriptions):
                if subscription.watcher.user_id == gone:
                    self.end(subscription, event.seq, "removed")

    def end(self, subscription: Subscription, seq: int, reason: str) -> None:
        """Send it what it lacks up to `seq`, then `unsubscribed`, then nothing."""
        if subscription.ends_at is None and subscription.phase is not Phase.ENDED:
            subscription.ends_at, subscription.end_reason = seq, reason
            if subscription.quiet:
                self._finish(subscription)
            elif subscription.phase is not Phase.HELD:
                self._take_out(subscription)
                self._start_catching_up(subscription)

    def end_log(self, name: str, reason: str) -> None:
        """End every subscription to a log that nobody may watch any more."""
        log = self._logs.get(name)
        for subscription in list(log.subscriptions) if log is not None else []:
            self.end(subscription, subscription.log.ring.head, reason)

    # Rounds -----------------------------------------------------------------------------------------------------

    def _mark(self, log: LogState) -> None:
        self._dirty.add(log)
        self._wake.set()

    async def _rounds(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            for log in dirty:
                try:
                    await self._round(log)
                except Exception:
                    logger.exception("A round of %s failed.", log.name)

    async def _round(self, log: LogState) -> None:
        for view, state in list(log.views.items()):
            await self._round_of_view(log, view, state)
        if log.notes:
            notes, log.notes = list(log.notes.values()), {}
            for subscription in list(log.subscriptions):
                for frame in notes:
                    subscription.tell(frame)

    async def _round_of_view(self, log: LogState, view: View, state: ViewState) -> None:
        events = log.ring.since(state.position)
        if events is None:  # more came in one go than the ring keeps: each catches up by itself
            self._detach_all(log, state)
            return
        if not events or self._is_early(log, view, state, events):
            return
        state.before, state.position = state.told, events[-1].seq
        sent: list[Sent] = []
        if state.attached:
            sent = frames_of(log.name, state.told, events, view)
            metrics.FRAMES_MADE.inc(len(sent))
            metrics.TOKENS_FRAMED.inc(sum(event.n for event in events))
            state.told = sent[-1].seq if sent else state.told
        else:
            state.told = max((event.seq for event in events if view.sees(event)), default=state.told)
        if state.told == state.before:
            return
        state.unwritten = dict(state.attached)
        waiting, state.waiting = state.waiting, set()
        for subscription in waiting:
            self._start_catching_up(subscription)
        await self._write_to_all(state, sent)
        if sent:
            metrics.LAG_MS.observe(max(0.0, time.time() * 1000 - events[-1].ts))

    def _is_early(self, log: LogState, view: View, state: ViewState, events: list[LogEvent]) -> bool:
        """Whether this view's next frame is not due yet; then a timer is set. Only tokens and thoughts wait."""
        if not view.flush_ms:
            return False
        now = time.monotonic()
        full = view.buffer_size and sum(event.n for event in events) >= view.buffer_size
        if now < state.due_at and not full and all(event.type in ("token", "thought") for event in events):
            asyncio.get_running_loop().call_later(state.due_at - now, self._mark, log)
            return True
        state.due_at = now + view.flush_ms / 1000
        return False

    async def _write_to_all(self, state: ViewState, sent: list[Sent]) -> None:
        unwritten = state.unwritten
        try:
            while unwritten:
                count = min(len(unwritten), WRITES_AT_ONCE)
                if len(sent) == 1:
                    self._write_one(state, sent[0].frame, count)
                else:
                    self._write_several(state, sent, count)
                metrics.FRAMES_SENT.inc(len(sent) * count)
                if unwritten:
                    await asyncio.sleep(0)
        finally:
            # Only after an error: whoever was not written to is where it was.
            while unwritten:
                self._fall_behind(state, unwritten.popitem()[0], state.before)

    def _write_one(self, state: ViewState, frame: Frame, count: int) -> None:
        """The innermost loop of all: nothing is in it that can be outside."""
        unwritten = state.unwritten
        for _ in range(count):
            subscription, writer = unwritten.popitem()
            if not writer.write(frame):
                self._fall_behind(state, subscription, state.before)

    def _write_several(self, state: ViewState, sent: list[Sent], count: int) -> None:
        for _ in range(count):
            subscription, writer = state.unwritten.popitem()
            have = state.before
            for each in sent:
                if not writer.write(each.frame):
                    self._fall_behind(state, subscription, have)
                    break
                have = each.seq

    def _fall_behind(self, state: ViewState, subscription: Subscription, have: int) -> None:
        metrics.SLOW_SOCKETS.inc()
        del state.attached[subscription]
        subscription.have = have
        self._start_catching_up(subscription)

    def _detach_all(self, log: LogState, state: ViewState) -> None:
        """The view goes on at the head; each of its sockets is brought there by itself."""
        subscriptions = [*state.attached, *state.waiting]
        for subscription in subscriptions:
            self._take_out(subscription)
        state.told = state.position = log.ring.head
        for subscription in subscriptions:
            self._start_catching_up(subscription)

    # Gaps and epochs ---------------------------------------------------------------------------------------------

    def _start_repair(self, log: LogState) -> None:
        if log.repair is None or log.repair.done():
            log.repair = asyncio.get_running_loop().create_task(self._repair(log))

    async def _repair(self, log: LogState) -> None:
        """Read what was missed. The log is written before it is published, so its head covers all that was heard."""
        while self._logs.get(log.name) is log:
            try:
                page = await self._writer.read_page(log.name, log.ring.head)
            except LogUnavailable:
                await asyncio.sleep(REPAIR_DELAY_S)
                continue
            if page.head.epoch != log.epoch or page.head.seq < log.ring.head:
                self._begin_again(log, page.head)
                return
            metrics.GAPS_REPAIRED.inc()
            for event in page.events:
                if log.ring.take(event) is Taken.GAP:  # trimmed meanwhile
                    self._begin_again(log, page.head)
                    return
                self._note_ending(log, event)
            self._mark(log)
            if log.ring.head >= page.head.seq:
                return

    def _begin_again(self, log: LogState, head: Head) -> None:
        """What clients hold may not be in the log: everyone gets a snapshot."""
        logger.info("%s goes on in a new epoch; its viewers get a snapshot.", log.name)
        log.begin(head.epoch, head.seq)
        for state in list(log.views.values()):
            self._detach_all(log, state)

    def _check_all(self) -> None:
        """After a reconnect: events may have been published while nobody here listened."""
        for log in self._logs.values():
            if log.ready.done():
                self._start_repair(log)

    async def _check_heads(self) -> None:
        """A lost *last* event has no successor that would show the gap."""
        while True:
            await asyncio.sleep(HEADS_EVERY_S)
            logs = [log for log in self._logs.values() if log.ready.done()]
            heads = await asyncio.gather(*(self._writer.head(log.name) for log in logs), return_exceptions=True)
            for log, head in zip(logs, heads, strict=True):
                if isinstance(head, Head) and (head.epoch != log.epoch or head.seq != log.ring.head):
                    self._start_repair(log)


def unavailable() -> LiveError:
    return LiveError(
        ErrorCode.INTERNAL, "The server cannot reach its log at the moment. Try again in a few seconds.", retryable=True
    )


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def the_hub() -> Hub:
    """This event loop's hub."""
    from channels.layers import get_channel_layer

    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        for closed in [known for known in _hubs if known.is_closed()]:
            del _hubs[closed]
        layer = get_channel_layer("live")
        assert layer is not None, "CHANNEL_LAYERS has no `live`"
        found = _hubs[loop] = Hub(layer.here())
    return found
