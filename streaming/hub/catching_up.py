"""Bringing one socket to its view's position: after a join, a resume, a slow spell, or a change of epoch.

The half of the hub that deals with one subscription at a time; the other half (`hub`) deals with all at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from sessions.outages import DATABASE_AWAY
from streaming.hub import metrics
from streaming.hub.frames import Sent, frame_of, frames_of
from streaming.hub.log_state import LogState
from streaming.hub.snapshot import Snapshot, is_shut_out, snapshot
from streaming.hub.subscription import Phase, Subscription
from streaming.log import LogUnavailable, LogWriter

logger = logging.getLogger(__name__)

# A client that took nothing for this long is given up (4410).
STUCK_AFTER_S = 60.0
# Further behind than this a snapshot is shorter, and the log need not be read whole.
MAX_REPLAY = 5_000
SNAPSHOT_KEPT_S = 1.0
RETRY_S = 0.3


class CatchingUp:
    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._background_tasks: set[asyncio.Task[None]] = set()

    def _background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background_tasks.add(task)
        task.add_done_callback(self._background_tasks.discard)
        return task

    async def _replay_mode(self, subscription: Subscription) -> str:
        """`replay` where the log still has everything after `have`, and that is not too much."""
        log = subscription.log
        if log.ring.head - subscription.have > MAX_REPLAY:
            return "snapshot"
        if log.ring.since(subscription.have) is not None:
            return "replay"
        try:
            first = (await self._writer.head(log.name)).first
        except LogUnavailable:
            return "snapshot"
        return "replay" if 0 < first <= subscription.have + 1 else "snapshot"

    def _take_out(self, subscription: Subscription) -> None:
        """Out of its view, with `have` as it is now."""
        view = subscription.log.view(subscription.view)
        if subscription.phase is Phase.ATTACHED:
            subscription.have = view.before if subscription in view.unwritten else view.told
            view.unwritten.pop(subscription, None)
            del view.attached[subscription]
        view.waiting.discard(subscription)
        if subscription.task is not None:
            subscription.task.cancel()
            subscription.task = None

    def _start_catching_up(self, subscription: Subscription) -> None:
        if subscription.phase is Phase.ENDED:
            return
        subscription.phase = Phase.CATCHING_UP
        if self._attach(subscription):
            return
        if subscription.task is not None:
            subscription.task.cancel()
        subscription.task = self._background(self._catch_up(subscription))

    def _attach(self, subscription: Subscription) -> bool:
        """Join the view if it is at exactly the same position. No await between the look and the joining."""
        log = subscription.log
        if subscription.ends_at is not None or subscription.snapshot_due or subscription.epoch != log.epoch:
            return False
        view = log.view(subscription.view)
        if not view.attached and not view.waiting and subscription.have <= log.ring.head:
            events = log.ring.since(subscription.have)
            if events is not None and not any(subscription.view.sees(event) for event in events):
                view.told, view.position = subscription.have, log.ring.head
        if subscription.have == view.told:
            view.attached[subscription] = subscription.watcher.writer
            subscription.phase = Phase.ATTACHED
            return True
        return False

    async def _catch_up(self, subscription: Subscription) -> None:
        while not self._attach(subscription):
            stale = subscription.snapshot_due or subscription.epoch != subscription.log.epoch
            if stale and subscription.ends_at is not None:
                # A snapshot would show what came after the end.
                self._finish(subscription)
                return
            try:
                if stale:
                    if not await self._send_snapshot(subscription):
                        return
                    continue
                sent = await self._missing(subscription)
            except (LogUnavailable, *DATABASE_AWAY):
                await asyncio.sleep(RETRY_S)
                continue
            except ObjectDoesNotExist:
                subscription.ends_at, subscription.end_reason = subscription.have, "deleted"
                sent = []
            if not await self._write(subscription, sent):
                return
            if sent or subscription.snapshot_due:
                continue
            if subscription.ends_at is not None:
                self._finish(subscription)
            elif not self._attach(subscription):
                # Nothing visible between what it has and where its view is, yet they differ: meet at the next frame.
                subscription.phase = Phase.WAITING
                subscription.log.view(subscription.view).waiting.add(subscription)
            return

    async def _missing(self, subscription: Subscription) -> list[Sent]:
        """The frames from what it has to its view's position (or to where it ends)."""
        log = subscription.log
        upto = log.view(subscription.view).position if subscription.ends_at is None else subscription.ends_at
        events = log.ring.since(subscription.have, upto)
        if events is None:
            if upto - subscription.have > MAX_REPLAY:
                subscription.snapshot_due = True
                return []
            page = await self._writer.read_page(log.name, subscription.have, upto)
            events = page.events
            if page.head.epoch != log.epoch or (events and events[0].seq != subscription.have + 1):
                subscription.snapshot_due = True
                return []
        metrics.CAUGHT_UP.inc()
        return frames_of(log.name, subscription.have, events, subscription.view)

    async def _send_snapshot(self, subscription: Subscription) -> bool:
        """False: the socket is gone, or given up."""
        log = subscription.log
        task = log.fresh_snapshot(subscription.tail, SNAPSHOT_KEPT_S)
        if task is None:
            task = asyncio.get_running_loop().create_task(snapshot(self._writer, log.name, subscription.tail))
            log.snapshots[subscription.tail] = task
        try:
            taken: Snapshot = await asyncio.shield(task)
        except Exception:
            log.snapshots.pop(subscription.tail, None)
            raise
        if taken.epoch != log.epoch:
            # The hub has not heard of the newer epoch yet, or the snapshot is from before it.
            log.snapshots.pop(subscription.tail, None)
            self._start_repair(log)
            raise LogUnavailable("the epoch is changing")
        if await is_shut_out(log.name, subscription.watcher.user_id, taken):
            subscription.ends_at, subscription.end_reason = subscription.have, "removed"
            return True
        frame = frame_of(taken.event(log.name, show_thoughts=subscription.view.show_thoughts))
        if subscription.watcher.writer.write(frame):
            subscription.epoch, subscription.have, subscription.snapshot_due = taken.epoch, taken.seq, False
            return True
        return await self._has_room(subscription)

    async def _write(self, subscription: Subscription, sent: list[Sent]) -> bool:
        """Write until there is no room, then wait for some: what is missing by then is merged anew.

        False: the socket is gone, or given up.
        """
        for each in sent:
            if not subscription.watcher.writer.write(each.frame):
                return await self._has_room(subscription)
            subscription.have = each.seq
        return True

    async def _has_room(self, subscription: Subscription) -> bool:
        """Wait for room. False: the socket is gone, or given up because it took nothing at all for STUCK_AFTER_S."""
        watcher = subscription.watcher
        writer = watcher.writer
        left = writer.buffered
        while not writer.closed:
            try:
                async with asyncio.timeout(STUCK_AFTER_S):
                    await writer.drained()
                break
            except TimeoutError:
                before, left = left, writer.buffered
                if left >= before:
                    watcher.too_slow()
                    return False
        return not writer.closed

    def _finish(self, subscription: Subscription) -> None:
        log = subscription.log.name
        subscription.watcher.writer.write(
            frame_of({"type": "unsubscribed", "log": log, "reason": subscription.end_reason}), force=True
        )
        subscription.task = None  # this very task: it must not cancel itself
        self.unsubscribe(subscription)
        subscription.watcher.detached(log)

    def unsubscribe(self, subscription: Subscription) -> None:
        raise NotImplementedError

    def _start_repair(self, log: LogState) -> None:
        raise NotImplementedError
