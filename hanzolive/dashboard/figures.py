"""The dashboard's figures as they are shown: pure. Words and numbers are made here, for the page and for its refreshes."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hanzolive.dashboard.reading import Ended, Reading

MINUTES = 60
MINUTE = timedelta(minutes=1)
MAX_ROWS = 10
UNKNOWN = "–"

Shown = dict[str, Any]


def show(reading: Reading) -> Shown:
    """`figures` by name, `tables` as rows of texts, `charts` as Chart.js takes them."""
    tokens = sum(stream.tokens for stream in reading.ended)
    hits = sum(stream.cached for stream in reading.ended)
    failed = sum(stream.status == "failed" for stream in reading.ended)
    return {
        "as_of": reading.as_of.strftime("%H:%M:%S UTC"),
        "cut": reading.cut,
        "figures": {
            "people": UNKNOWN if reading.people is None else f"{reading.people:,}",
            "running": f"{reading.running:,}",
            "queued": f"{reading.queued:,}",
            "speed": f"{reading.tokens_per_second:,.0f}",
            "hour_speed": f"{tokens / 3600:,.1f}",
            "ended": f"{len(reading.ended):,}{'+' if reading.cut else ''}",
            "failed": f"{failed:,}",
            "hits": f"{hits:,}",
            "hit_share": _share(hits, len(reading.ended)),
            "workers": f"{reading.workers:,}",
            "sessions": f"{reading.sessions:,}",
            "users": f"{reading.users:,}",
        },
        "tables": {"errors": errors(reading.ended), "slowest": slowest(reading.ended)},
        "charts": {
            "tokens": tokens_chart(reading.ended, reading.as_of),
            "streams": streams_chart(reading.ended, reading.as_of),
        },
    }


def errors(ended: Sequence[Ended]) -> list[list[str]]:
    """How often each error was met, the most frequent first."""
    counts = Counter(stream.error for stream in ended if stream.error)
    return [
        [code, f"{count:,}"] for code, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MAX_ROWS]
    ]


def slowest(ended: Sequence[Ended]) -> list[list[str]]:
    """Each model on its node, with how many streams, and the median and 95th percentile of both times; slowest first."""
    by_model: dict[tuple[str, str], list[Ended]] = defaultdict(list)
    for stream in ended:
        if stream.first_token_ms is not None:
            by_model[stream.model, stream.node].append(stream)
    rows = []
    for (model, node), streams in by_model.items():
        first = [stream.first_token_ms for stream in streams if stream.first_token_ms is not None]
        whole = [stream.duration_ms for stream in streams if stream.duration_ms is not None]
        times = [percentile(values, share) for values in (first, whole) for share in (0.5, 0.95)]
        rows.append((times[1] or 0.0, [model or UNKNOWN, node or UNKNOWN, f"{len(streams):,}", *map(_time, times)]))
    return [row for _, row in sorted(rows, key=lambda each: (-each[0], each[1]))[:MAX_ROWS]]


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of them do not exceed; None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def tokens_chart(ended: Sequence[Ended], now: datetime) -> Shown:
    """Tokens a second in each of the last minutes; a stream's are spread evenly over the time it took."""
    first = _first_minute(now)
    tokens = [0.0] * MINUTES
    for stream in ended:
        seconds = (stream.ended - stream.began).total_seconds()
        begin, end = ((moment - first) / MINUTE for moment in (stream.began, stream.ended))
        for minute in range(max(0, math.floor(begin)), min(MINUTES - 1, math.floor(end)) + 1):
            inside = (min(end, minute + 1) - max(begin, minute)) * 60
            tokens[minute] += stream.tokens * (inside / seconds if seconds > 0 else 1)
    data = [round(count / 60, 2) for count in tokens]
    return _chart(now, [_dataset("Tokens a second", data, "var(--color-base-400)")])


def streams_chart(ended: Sequence[Ended], now: datetime) -> Shown:
    """How many streams ended in each of the last minutes, by how."""
    first = _first_minute(now)
    counts = {status: [0] * MINUTES for status in ("complete", "stopped", "failed")}
    for stream in ended:
        minute = math.floor((stream.ended - first) / MINUTE)
        if 0 <= minute < MINUTES and stream.status in counts:
            counts[stream.status][minute] += 1
    colours = {"complete": "#22c55e", "stopped": "#a3a3a3", "failed": "#ef4444"}
    return _chart(now, [_dataset(status.capitalize(), counts[status], colours[status]) for status in counts])


def _first_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) - (MINUTES - 1) * MINUTE


def _chart(now: datetime, datasets: list[Shown]) -> Shown:
    first = _first_minute(now)
    return {"labels": [(first + minute * MINUTE).strftime("%H:%M") for minute in range(MINUTES)], "datasets": datasets}


def _dataset(label: str, data: Sequence[float], colour: str) -> Shown:
    look = {"borderColor": colour, "backgroundColor": colour, "displayYAxis": True, "maxTicksXLimit": 7}
    return {"label": label, "data": list(data), **look}


def _share(part: int, whole: int) -> str:
    return UNKNOWN if whole == 0 else f"{100 * part / whole:.0f} %"


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return UNKNOWN
    return f"{milliseconds:,.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:,.1f} s"
