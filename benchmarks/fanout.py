"""One fan-out run: start a target, let viewers in, stream to them at a steady rate, and read the counters. P1 and P2 use it."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from typing import Any

from benchmarks import measure, tokens
from benchmarks.lines import Helper
from benchmarks.process import TargetUnavailable, Workshop, workshop
from benchmarks.targets.base import FanoutTarget, Running
from benchmarks.task import LoadTask

GENERATOR_LIMIT = 0.85  # of a core; above it the generator may be what is slow
MEMORY_LIMIT = 4 << 30  # bytes; a peer that queues without end is stopped here


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a target."""

    viewers: int
    rate: float  # tokens a second
    warm: float  # seconds before the window
    window: float  # seconds measured
    drain: float  # seconds given for the rest to arrive afterwards
    sample: int = 20
    column: float = 5.0  # seconds per column of the lag's trend


@dataclass(frozen=True, slots=True)
class FanoutRow:
    """What came of it. Times in ms unless said; CPU in µs."""

    target: str
    title: str
    version: str
    viewers: int
    rate: float
    seconds: float
    connect_seconds: float
    tokens_sent: int  # per viewer, over the whole run
    delivered: float  # share of viewers × tokens that arrived, over the whole run, in the time given
    complete_viewers: int  # viewers whose count of tokens is right
    exact: str  # "20/20": samples whose text is, byte for byte, all that was sent
    ordered: str  # "20/20": samples whose text is, byte for byte, the beginning of what was sent
    frames_per_second: float
    tokens_per_frame: float
    cpu_per_frame: float
    cpu_per_token: float
    broker_cpu_per_frame: float
    server_share: float  # of a core
    generator_share: float
    p50: float
    p99: float
    missing: int  # of the samples' tokens sent in the window; with any, p50 and p99 are lower bounds
    columns: list[tuple[float, float]]  # (second, p99 lag)
    slope: float  # ms of p99 per second
    flat: bool
    server_rss: int
    memory_per_viewer: float  # KB of the server's memory added per viewer while connecting
    publisher_late: float
    invalid: str  # why the row must not be quoted; empty when it may

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def run(target: FanoutTarget, load: Load) -> FanoutRow:
    """Starts `target` in a scratch folder, measures it, ends it. TargetUnavailable when it cannot be measured here."""
    with workshop() as shop:
        return _measure(target, target.start(shop, load.viewers), load, shop)


def _measure(target: FanoutTarget, running: Running, load: Load, shop: Workshop) -> FanoutRow:
    lags_file, sent_file = shop.folder / "lags.json", shop.folder / "sent.txt"
    rss_before = measure.rss_bytes(running.server_pids)
    task = LoadTask(
        viewer=running.viewer,
        viewers=load.viewers,
        sample=min(load.sample, load.viewers),
        lags_file=str(lags_file),
        server_pids=running.server_pids,
        broker_pids=running.broker_pids,
    )
    generator = Helper.start(shop, "loadgen", "generator", task.to_json(), {})
    connected = generator.hear("connected", 30 + load.viewers / (running.viewer.connect_rate or 100))
    rss_after = measure.rss_bytes(running.server_pids)

    count = round(load.rate * (load.warm + load.window + 0.5))
    order = {
        "module": target.publisher_module,
        "config": running.publisher,
        "rate": load.rate,
        "count": count,
        "sent_file": str(sent_file),
    }
    publisher = Helper.start(shop, "publisher", "publisher", order, running.publisher_env)
    publisher.hear("ready", 20)
    publisher.tell("go")
    time.sleep(load.warm)
    generator.tell("mark")
    before = generator.hear("mark", 60)
    _sleep_while_memory_allows(load.window, running.server_pids)
    generator.tell("mark")
    after = generator.hear("mark", 60)
    said = publisher.hear("sent", load.window + load.warm + 60)
    generator.tell({"finish": {"sent_file": str(sent_file), "count": count, "seconds": load.drain}})
    result = generator.hear("result", load.drain + 60)
    return _row(target, running, load, {
        "before": before, "after": after, "said": said, "result": result, "count": count,
        "connect_seconds": connected["seconds"], "rss_added": rss_after - rss_before,
        "lags": lags_of(json.loads(lags_file.read_text()), tokens.sent_times(sent_file.read_bytes().decode()),
                        before["time"], after["time"], result["ended"]),
    })  # fmt: skip


def _sleep_while_memory_allows(seconds: float, pids: list[int]) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if measure.rss_bytes(pids) > MEMORY_LIMIT:
            raise TargetUnavailable(f"its queues grew beyond {MEMORY_LIMIT >> 30} GiB of memory: stopped")
        time.sleep(min(1.0, left))


@dataclass(frozen=True, slots=True)
class Lags:
    """Delays of the samples' tokens that were sent in the window."""

    points: list[tuple[float, float]]  # (second of the window, lag in ms)
    missing: int  # of them, tokens that never came: their lag is the time until the end, so a lower bound


def lags_of(samples: list[list[tuple[int, int]]], sent: list[int], start: float, end: float, ended: float) -> Lags:
    """From each sample's (sent, lag) in µs, and when every token was sent. `start`, `end` and `ended` are in seconds.

    Tokens that did not arrive count as late as the run had time to notice: leaving them out would make a server that
    delivers nothing look quick.
    """
    wanted = [moment for moment in sent if start <= moment / 1e6 <= end]
    points: list[tuple[float, float]] = []
    missing = 0
    for sample in samples:
        came = dict(sample)
        for moment in wanted:
            lag = came.get(moment)
            missing += lag is None
            points.append((moment / 1e6 - start, (ended * 1e6 - moment if lag is None else lag) / 1000))
    return Lags(points, missing)


def _row(target: FanoutTarget, running: Running, load: Load, seen: dict[str, Any]) -> FanoutRow:
    before, after, result, count = seen["before"], seen["after"], seen["result"], seen["count"]
    seconds = after["time"] - before["time"]
    gained = {key: after[key] - before[key] for key in ("frames", "tokens", "own_cpu", "server_cpu", "broker_cpu")}
    frames, arrived = max(1, gained["frames"]), max(1, gained["tokens"])
    found: Lags = seen["lags"]
    lags = [lag for _, lag in found.points]
    trend = measure.trend(found.points, load.column)
    generator_share = gained["own_cpu"] / seconds
    return FanoutRow(
        target=target.name,
        title=target.title,
        version=running.version,
        viewers=load.viewers,
        rate=load.rate,
        seconds=seconds,
        connect_seconds=seen["connect_seconds"],
        tokens_sent=count,
        delivered=result["tokens"] / (count * load.viewers),
        complete_viewers=result["complete"],
        exact=f"{result['exact']}/{result['sampled']}",
        ordered=f"{result['exact_prefix']}/{result['sampled']}",
        frames_per_second=gained["frames"] / seconds,
        tokens_per_frame=arrived / frames,
        cpu_per_frame=gained["server_cpu"] / frames * 1e6,
        cpu_per_token=gained["server_cpu"] / arrived * 1e6,
        broker_cpu_per_frame=gained["broker_cpu"] / frames * 1e6,
        server_share=gained["server_cpu"] / seconds,
        generator_share=generator_share,
        p50=measure.percentile(lags, 0.5),
        p99=measure.percentile(lags, 0.99),
        missing=found.missing,
        columns=list(trend.columns),
        slope=trend.slope,
        flat=trend.flat,
        server_rss=after["server_rss"],
        memory_per_viewer=seen["rss_added"] / load.viewers / 1024,
        publisher_late=seen["said"]["late_ms"],
        invalid=_why_invalid(generator_share, result, seen["said"]["seconds"], count, load),
    )


def _why_invalid(generator_share: float, result: dict[str, Any], took: float, count: int, load: Load) -> str:
    reasons = []
    if generator_share > GENERATOR_LIMIT:
        reasons.append(f"generator-bound ({generator_share:.0%} of a core)")
    if result["lost"]:
        reasons.append(f"{result['lost']} sockets closed by the server")
    if result["too_many"]:
        reasons.append(f"{result['too_many']} viewers got tokens twice")
    if took > count / load.rate * 1.05:
        reasons.append(f"publisher slower than asked ({count / took:.0f}/s)")
    return "; ".join(reasons)
