"""What a worker does with a stream's row: load it, claim it, finish it, hand it over.

Every change is a compare-and-set on lease and fence: of two workers that believe they own a stream, one is told that it
does not. What the tasks and the reaper look for is `reaper`'s; how an ending is written is `endings`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sessions import services as sessions
from sessions.models import MessageStatus, OutboxRow
from sessions.outbox import Announcement, announce
from sessions.queries import Said, history
from streaming import metrics, queueing, slots
from streaming.beginnings import start_event
from streaming.endings import Outcome, Timings, UsageCount, end, lock_session
from streaming.models import CARRIED, DECIDED, Stream, StreamStatus, ToolCall, ToolCallStatus
from streaming.notices.announcing import tell_start
from streaming.outbox import drain
from streaming.tools.offered import may_offer
from streaming.waiting import deadline_of

# Messages read for a prompt at most; what fits the model is far less.
HISTORY = 400

# Without a lease.
UNCLAIMED = (StreamStatus.QUEUED, StreamStatus.RECOVERING)


@dataclass(frozen=True, slots=True)
class Job:
    """A stream that waits for a worker, and in a session what was said before it. `complete`: from its beginning.

    `crowded`: there may be no slot for it, so that its node must not be asked before it is claimed. `looks_up`: the cache
    was not asked yet, and may be.
    """

    stream: Stream
    system: str = ""
    said: list[Said] = field(default_factory=list)
    complete: bool = True
    crowded: bool = False
    looks_up: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write a stream. `taken_over`: another worker began it. `announced`: its start is on the log."""

    stream: Stream
    lease: str
    fence: int
    taken_over: bool
    announced: bool


def load(stream_id: str) -> Job | None:
    """The stream, if it waits for a worker; None when it is carried, over or gone."""
    waiting = Stream.objects.filter(status__in=UNCLAIMED, lease="")
    stream = waiting.select_related("user", "session").filter(pk=stream_id).first()
    if stream is None:
        return None
    crowded = stream.status == StreamStatus.QUEUED and slots.is_crowded()
    if stream.session is None:
        return Job(stream, crowded=crowded)
    # Asked before what was said is read: once it is its turn, nothing is added to that any more.
    looks_up = "look_up_in_turn" in stream.request and stream.status == StreamStatus.QUEUED and queueing.is_next(stream)
    said = history(
        stream.session.pk,
        HISTORY,
        before_n=stream.request["before_n"],
        with_tools=may_offer(stream.request["options"]),
    )
    complete = len(said) < HISTORY
    return Job(stream, stream.session.system_prompt, said, complete=complete, crowded=crowded, looks_up=looks_up)


def claim(stream: Stream, lease: str, *, model: str, node: str, node_name: str = "") -> Claim | None:
    """Take the stream, and announce its start the first time; None where somebody else was first, or it has to wait."""
    with transaction.atomic():
        if stream.session_id is not None and not _has_its_turn(stream):
            return None
        if stream.status == StreamStatus.QUEUED and not slots.take(stream):
            return None
        fence = stream.fence + 1
        started_at = stream.started_at or timezone.now()
        taken = Stream.objects.filter(pk=stream.pk, status=stream.status, fence=stream.fence).update(
            status=StreamStatus.RUNNING,
            lease=lease,
            fence=fence,
            started_at=started_at,
            admitted_at=stream.admitted_at or started_at,
            model=model,
            node=node,
            node_name=node_name,
        )
        if not taken:
            return None
        if stream.started_at is None:
            metrics.QUEUE_WAIT_MS.observe(max(0.0, (started_at - stream.created_at).total_seconds() * 1000))
            tell_start(stream, model=model, node=node)
            announce(stream.log, Announcement("stream_start", start_event(stream, model, node), str(stream.pk)))
            if stream.message is not None:
                sessions.mark_reply(stream.message, MessageStatus.STREAMING)
    taken_over = stream.started_at is not None
    stream.status, stream.lease, stream.fence = StreamStatus.RUNNING, lease, fence
    stream.started_at, stream.model, stream.node, stream.node_name = started_at, model, node, node_name
    return Claim(stream, lease, fence, taken_over, announced=not waits_in_outbox(stream))


def waits_in_outbox(stream: Stream) -> bool:
    """Whether an event of the stream is still on its way to the log: no token may overtake its start."""
    return OutboxRow.objects.filter(log=stream.log, stream=str(stream.pk)).exists()


def bring_start_to_log(stream: Stream) -> None:
    """Drain the outbox up to the stream's start. Raises LogUnavailable."""
    while waits_in_outbox(stream):
        drain(stream.log)


def finish(claim: Claim, outcome: Outcome) -> bool:
    """End the stream; False if it is not this owner's any more, or has ended already."""
    return end(claim.stream, outcome, Stream.objects.filter(lease=claim.lease, fence=claim.fence))


def hand_over(claim: Claim) -> bool:
    """Give the stream to whichever worker takes it next; False if it is not this owner's any more."""
    return bool(_mine(claim).update(status=StreamStatus.RECOVERING, lease="", enqueued_at=timezone.now()))


def show_recovering(claim: Claim, recovering: bool) -> None:
    """Say in the row whether the stream waits for a node that failed. It stays this owner's either way."""
    _mine(claim).update(status=StreamStatus.RECOVERING if recovering else StreamStatus.RUNNING)


def move(claim: Claim) -> None:
    """Keep where the stream runs now, and tell it: its node failed, and another one goes on."""
    stream = claim.stream
    with transaction.atomic():
        if _mine(claim).update(model=stream.model, node=stream.node, node_name=stream.node_name):
            start = start_event(stream, stream.model, stream.node)
            announce(stream.log, Announcement("stream_start", start, str(stream.pk)))


def _mine(claim: Claim) -> QuerySet[Stream]:
    return Stream.objects.filter(pk=claim.stream.pk, lease=claim.lease, fence=claim.fence, status__in=CARRIED)


class SetAside(StrEnum):
    """What became of a stream that was to wait: it `WAITS`; somebody had `DECIDED` already; it is not `OURS` any more."""

    WAITS = "waits"
    DECIDED = "decided"
    LOST = "lost"


@transaction.atomic
def set_aside(claim: Claim, usage: UsageCount, timings: Timings) -> SetAside:
    """Let the stream wait for a person: nobody carries it, until `queueing.wake` sends it again.

    What it has used so far is kept with it. A stop that came meanwhile counts as a decision.
    """
    mine = _mine(claim)
    stream = mine.select_for_update().first()
    if stream is None:
        return SetAside.LOST
    if stream.stop_requested_at is not None or decided_calls(stream.pk).exists():
        return SetAside.DECIDED
    mine.update(status=StreamStatus.WAITING, lease="", waiting_since=timezone.now(), usage=usage, timings=timings)
    transaction.on_commit(slots.fill)  # it holds none while it waits
    return SetAside.WAITS


def is_stopping(claim: Claim) -> bool:
    """Whether somebody wants the stream stopped."""
    return Stream.objects.filter(pk=claim.stream.pk, stop_requested_at__isnull=False).exists()


def wait_for_calls(claim: Claim, calls: Sequence[tuple[str, str, ToolCallStatus]]) -> None:
    """Note calls (id, tool, what they wait for), before the log tells of them: an answer may come at once."""
    ToolCall.objects.bulk_create(
        [
            ToolCall(stream=claim.stream, call=call, tool=tool[:200], status=status, deadline=deadline_of(status))
            for call, tool, status in calls
        ],
        ignore_conflicts=True,  # a worker that was lost has noted it
    )
    for call, _, status in calls:  # asked again, where Redis lost what had come of it
        ToolCall.objects.filter(stream=claim.stream, call=call, status=ToolCallStatus.SETTLED).update(
            status=status, deadline=deadline_of(status)
        )


def decided_calls(stream_id: UUID) -> QuerySet[ToolCall]:
    """The calls that somebody decided and the stream has not been told of."""
    return ToolCall.objects.filter(stream=stream_id, status__in=DECIDED).select_related("user").order_by("id")


def handed_calls(stream_id: UUID, calls: Sequence[str]) -> QuerySet[ToolCall]:
    """Of these calls those that wait for a client."""
    rows = ToolCall.objects.filter(stream=stream_id, call__in=calls, status=ToolCallStatus.AWAITING_CLIENT)
    return rows.select_related("user").order_by("id")


def settle_call(row: ToolCall) -> None:
    """The stream goes on with what was decided."""
    ToolCall.objects.filter(pk=row.pk, status=row.status).update(status=ToolCallStatus.SETTLED)


def hand_to_client(row: ToolCall) -> None:
    """An approved call now waits for the client that runs it."""
    status = ToolCallStatus.AWAITING_CLIENT
    ToolCall.objects.filter(pk=row.pk, status=row.status).update(status=status, deadline=deadline_of(status))


def _has_its_turn(stream: Stream) -> bool:
    assert stream.session_id is not None
    return lock_session(stream.session_id) and (stream.status == StreamStatus.RECOVERING or queueing.is_next(stream))
