"""Arithmetic of the harness: percentiles, trends, and CPU time of processes from /proc. It starts and prints nothing."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was really seen, never an interpolated one.

    `share` is 0…1. Raises ValueError for no values: a figure made of nothing must not print as 0.
    """
    if not values:
        raise ValueError("a percentile of no values does not exist")
    if not 0 <= share <= 1:
        raise ValueError(f"the share of a percentile is between 0 and 1, not {share}")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope of (x, y) points; 0 for fewer than two different x."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if spread == 0:
        return 0.0
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def buckets(points: Iterable[tuple[float, float]], width: float) -> list[tuple[float, list[float]]]:
    """Groups (x, y) points into columns of `width` along x: [(start of column, its ys)], in order, empty ones left out."""
    columns: dict[int, list[float]] = {}
    for x, y in points:
        columns.setdefault(math.floor(x / width), []).append(y)
    return [(index * width, columns[index]) for index in sorted(columns)]


@dataclass(frozen=True, slots=True)
class Trend:
    """How the p99 of a lag moves over a run."""

    columns: tuple[tuple[float, float], ...]  # (second, p99 of that column in ms)
    slope: float  # ms of p99 per second of run
    flat: bool


def trend(points: Iterable[tuple[float, float]], width: float) -> Trend:
    """The p99 per column of `width` seconds of (second, lag in ms) points.

    Flat means that the median column of the last third is at most a quarter and 20 ms above that of the first third;
    so one hiccup is no trend, and a queue that grows by even 1 ms a second over a minute is one.
    """
    columns = tuple((start, percentile(lags, 0.99)) for start, lags in buckets(points, width))
    third = max(1, len(columns) // 3)
    if len(columns) < 2:
        return Trend(columns, 0.0, True)
    first = percentile([lag for _, lag in columns[:third]], 0.5)
    last = percentile([lag for _, lag in columns[-third:]], 0.5)
    return Trend(columns, slope(columns), last <= first * 1.25 + 20)


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes (all their threads) have used so far. A process that is gone counts 0."""
    return sum(_ticks(pid) for pid in pids) / TICKS_PER_SECOND


def _ticks(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return ticks_of_stat(stat)


def ticks_of_stat(stat: str) -> int:
    """utime + stime of a /proc/<pid>/stat line. The name in it may hold spaces and brackets, hence the last bracket."""
    fields = stat[stat.rindex(")") + 2 :].split()
    return int(fields[11]) + int(fields[12])


def rss_bytes(pids: Iterable[int]) -> int:
    """Resident memory of these processes together, in bytes."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def counters(server_pids: Iterable[int], broker_pids: Iterable[int]) -> dict[str, float]:
    """What every generator notes at the start and the end of its window: the time, and CPU seconds used so far."""
    server_pids = list(server_pids)
    return {
        "time": time.monotonic(),
        "own_cpu": time.process_time(),
        "server_cpu": cpu_seconds(server_pids),
        "broker_cpu": cpu_seconds(broker_pids),
        "server_rss": rss_bytes(server_pids),
    }


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`, nearest first."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop(0)
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                children = [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += children
            waiting += children
    return found


def command_line(pid: int) -> str:
    """The command of a process, arguments joined by spaces; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
