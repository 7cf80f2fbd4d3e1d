"""P11: history. A page of 50 anywhere in a session of 100,000 messages, by REST and as a socket's snapshot."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from benchmarks import measure
from benchmarks.lines import Helper
from benchmarks.process import Workshop, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets import HISTORY
from benchmarks.targets.base import HistoryRunning, HistoryTarget
from benchmarks.task import HistoryTask

SHORT, LONG = 1_000, 100_000
QUICK = frozenset({"sqlite"})


@dataclass(frozen=True, slots=True)
class Times:
    """Percentiles of one place, in ms."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """What came of one server. Places are named `<messages in the session> <which page>`."""

    target: str
    title: str
    version: str
    short: int
    long: int
    rounds: int
    times: dict[str, Times]
    queries: dict[str, int]
    server_share: float  # of a core, while one client asks without a pause
    generator_share: float
    invalid: str
    samples: dict[str, list[float]]  # ms, in order

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def measure_target(target: HistoryTarget, rounds: int) -> list[HistoryRow]:
    """Starts `target` in a scratch folder, fills it, measures its servers one after the other, ends them."""
    with workshop() as shop:
        return [_measure(running, rounds, shop) for running in target.start(shop, [SHORT, LONG])]


def _measure(running: HistoryRunning, rounds: int, shop: Workshop) -> HistoryRow:
    task = HistoryTask(
        port=running.port,
        headers=running.headers,
        viewer=running.viewer,
        readings=running.readings,
        warm=5,
        rounds=rounds,
        server_pids=running.server_pids,
    )
    pager = Helper.start(shop, "pager", f"pager-{running.name}", task.to_json(), {})
    paged = pager.hear("paged", 60 + rounds * len(running.readings) * 0.25)
    samples: dict[str, list[float]] = paged["times"]
    return HistoryRow(
        target=running.name,
        title=running.title,
        version=running.version,
        short=SHORT,
        long=LONG,
        rounds=rounds,
        times={
            name: Times(measure.percentile(times, 0.5), measure.percentile(times, 0.99))
            for name, times in samples.items()
        },
        queries=paged["queries"],
        server_share=paged["server_share"],
        generator_share=paged["generator_share"],
        invalid="",
        samples=samples,
    )


def run(plan: Plan) -> Result:
    """Every target of P11 that runs here."""
    rounds = 100 if plan.quick else 300
    cost = 50 + rounds * 0.3
    found, left_out = plan.each(HISTORY, cost, lambda target: measure_target(target, rounds), QUICK)
    return Result(
        part="P11",
        title="History: a page of 50 messages, wherever it lies",
        setting=f"a session of {SHORT:,} messages and one of {LONG:,}, each page read {rounds} times by one client, "
        f"one after the other; times are those of the session of {LONG:,}",
        rows=[row.to_json() for rows in found for row in rows],
        left_out=left_out,
    )
