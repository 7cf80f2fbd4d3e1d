"""What a worker does with a stream's row: load it, claim it, finish it, hand it over.

Every change is a compare-and-set on lease and fence: of two workers that believe they own a stream, one is told that it
does not. What the tasks and the reaper look for is `reaper`'s; how an ending is written is `endings`'.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from sessions import services as sessions
from sessions.models import MessageStatus, OutboxRow
from sessions.outbox import Announcement, announce
from sessions.queries import Said, history
from streaming import queueing, slots
from streaming.beginnings import start_event
from streaming.endings import Outcome, end, lock_session
from streaming.models import Stream, StreamStatus
from streaming.outbox import drain

# Messages read for a prompt at most; what fits the model is far less.
HISTORY = 400

UNCLAIMED = (StreamStatus.QUEUED, StreamStatus.RECOVERING)


@dataclass(frozen=True, slots=True)
class Job:
    """A stream that waits for a worker, and in a session what was said before it. `complete`: from its beginning.

    `crowded`: there may be no slot for it, so that its node must not be asked before it is claimed.
    """

    stream: Stream
    system: str = ""
    said: list[Said] = field(default_factory=list)
    complete: bool = True
    crowded: bool = False


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
    stream = Stream.objects.select_related("user", "session").filter(pk=stream_id, status__in=UNCLAIMED).first()
    if stream is None:
        return None
    crowded = stream.status == StreamStatus.QUEUED and slots.is_crowded()
    if stream.session is None:
        return Job(stream, crowded=crowded)
    said = history(stream.session.pk, HISTORY, before_n=stream.request["before_n"])
    return Job(stream, stream.session.system_prompt, said, complete=len(said) < HISTORY, crowded=crowded)


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
    mine = Stream.objects.filter(pk=claim.stream.pk, lease=claim.lease, fence=claim.fence, status=StreamStatus.RUNNING)
    return bool(mine.update(status=StreamStatus.RECOVERING, lease="", enqueued_at=timezone.now()))


def _has_its_turn(stream: Stream) -> bool:
    assert stream.session_id is not None
    return lock_session(stream.session_id) and (stream.status == StreamStatus.RECOVERING or queueing.is_next(stream))
