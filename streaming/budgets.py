"""What one person, and one tenant, may have the models do: streams at once, and tokens a day.

A day is UTC's. An answer is counted when it ends, so that the last of a day may go over; what comes from the cache is
neither counted nor refused. Without a limit nothing is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from hanzo_live.protocol.errors import ErrorCode, LiveError
from sessions.iam.accounts import tenant_of
from sessions.models import User
from streaming.models import OPEN, Stream, TokenUse

# Days that are kept, for whoever wants to look.
KEPT = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose tokens are counted, and how many there are a day."""

    name: str
    limit: int
    option: str
    whose: str


def require(stream: Stream) -> None:
    """Let a stream that was inserted just now begin, or raise LiveError: `busy` or `rate_limited`.

    To be called in the transaction that inserted it. Anonymous callers are held to their sockets' and addresses' limits.
    """
    user = stream.user
    if user is None:
        return
    _require_slot(user)
    holders = _holders(user)
    if not holders:
        return
    now = timezone.now()
    used = dict(
        TokenUse.objects.filter(day=_day(now), holder__in=[each.name for each in holders]).values_list(
            "holder", "tokens"
        )
    )
    for holder in holders:
        if used.get(holder.name, 0) >= holder.limit:
            raise _used_up(holder, now)


def count(user: User | None, tokens: int) -> None:
    """Note what an answer used. To be called in the transaction that ends it."""
    if user is None or tokens <= 0:
        return
    day = _day(timezone.now())
    for holder in _holders(user):
        mine = TokenUse.objects.filter(holder=holder.name, day=day)
        if not mine.update(tokens=F("tokens") + tokens):
            TokenUse.objects.get_or_create(holder=holder.name, day=day)
            mine.update(tokens=F("tokens") + tokens)
            TokenUse.objects.filter(holder=holder.name, day__lt=day - KEPT).delete()


def _require_slot(user: User) -> None:
    most = settings.MAX_STREAMS_PER_USER
    if most and Stream.objects.filter(user=user, status__in=OPEN).count() > most:
        raise LiveError(
            ErrorCode.BUSY,
            f"You have {most} answers being written or waiting, the most this server allows. Wait for one, or stop one.",
            retry_after=2,
        )


def _holders(user: User) -> list[Holder]:
    found = []
    if limit := settings.TOKENS_PER_DAY_PER_USER:
        found.append(Holder(f"user:{user.pk}", limit, "TOKENS_PER_DAY_PER_USER", "your"))
    if (limit := settings.TOKENS_PER_DAY_PER_TENANT) and (tenant := tenant_of(user)):
        found.append(
            Holder(f"tenant:{tenant}"[: TokenUse.MAX_HOLDER], limit, "TOKENS_PER_DAY_PER_TENANT", f"{tenant}'s")
        )
    return found


def _used_up(holder: Holder, now: datetime) -> LiveError:
    midnight = datetime.combine(_day(now) + timedelta(days=1), datetime.min.time(), UTC)
    seconds = ceil((midnight - now).total_seconds())
    wait = f"{ceil(seconds / 60)} minutes" if seconds < 5_400 else f"{round(seconds / 3600)} hours"
    return LiveError(
        ErrorCode.RATE_LIMITED,
        f"Today's {holder.limit:,} tokens of {holder.whose} budget are used up. There are new ones at 00:00 UTC, in {wait}. "
        f"Whoever runs this server can allow more ({holder.option}).",
        retry_after=seconds,
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
