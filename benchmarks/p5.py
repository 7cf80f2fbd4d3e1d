"""P5: pulling. 100 streams of 50 tokens a second in one worker process: its CPU per token, from the node to the log."""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks import measure
from benchmarks.lines import Helper
from benchmarks.process import TargetUnavailable, Workshop, workshop
from benchmarks.run import Plan, Result
from benchmarks.targets import PULL
from benchmarks.targets.base import PullRunning, PullTarget
from benchmarks.targets.scripted_node import start as start_node
from streaming.log import Head, LogWriter

PATIENCE = 60.0  # seconds for all streams to have their first token
SETTLE = 5.0  # seconds from then on, before the window


@dataclass(frozen=True, slots=True)
class Load:
    """How much is pulled."""

    streams: int = 100
    rate: int = 50  # tokens a second of each
    window: float = 20.0  # seconds that are measured

    @property
    def script(self) -> str:
        """Answers that outlast the measurement."""
        return f"script-slow@rate={self.rate},tokens={round((PATIENCE + SETTLE + self.window + 10) * self.rate)}"


@dataclass(frozen=True, slots=True)
class PullRow:
    """What came of one target. CPU is that of the process that pulls."""

    target: str
    title: str
    version: str
    streams: int
    rate: int
    tokens_per_second: float
    direct: float  # of what was read from the node directly in the same run; 0 where that was not taken
    cpu_per_token: float  # µs
    pulling_share: float  # of a core
    node_share: float
    broker_share: float
    tokens_per_entry: float  # 0 where nothing is written
    invalid: str

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def measure_target(target: PullTarget, load: Load) -> PullRow:
    """Starts a node and the target before it, lets it pull, ends both."""
    with workshop() as shop:
        node, port = start_node(shop)
        running = target.start(shop, port)
        if running.port == port:
            return _direct(target, running, shop, node.pids, load)
        return asyncio.run(_pulled(target, running, node.pids, load))


def _direct(target: PullTarget, running: PullRunning, shop: Workshop, node: list[int], load: Load) -> PullRow:
    """The node read by a bare client that keeps nothing."""
    place = {"kind": "sse", "port": running.port, "path": "/v1/chat/completions", "headers": {}}
    task = {
        "role": "load", "place": place, "model": load.script, "streams": load.streams, "ramp": 3, "patience": PATIENCE,
    }  # fmt: skip
    reader = Helper.start(shop, "asker", "reader", task, {})
    if (begun := reader.hear("loaded", PATIENCE + 10)["begun"]) < load.streams:
        raise TargetUnavailable(f"only {begun} of {load.streams} answers began")
    time.sleep(SETTLE)
    before, since = measure.counters(reader.child.pids, node), time.monotonic()
    time.sleep(load.window)
    after, seconds = measure.counters(reader.child.pids, node), time.monotonic() - since
    reader.tell("end")
    tokens = float(reader.hear("received", 10)["tokens_per_second"])
    cpu = (after["server_cpu"] - before["server_cpu"]) / seconds
    return PullRow(
        target.name, target.title, running.version, load.streams, load.rate, tokens, 0.0, cpu / tokens * 1e6, cpu,
        (after["broker_cpu"] - before["broker_cpu"]) / seconds, 0.0, 0.0, "",
    )  # fmt: skip


async def _pulled(target: PullTarget, running: PullRunning, node: list[int], load: Load) -> PullRow:
    """Nobody watches the streams: what a worker does for them is all there is."""
    logs = await asyncio.to_thread(_start_streams, running, load)
    log = LogWriter(running.redis_url)
    try:
        await _all_begun(log, logs)
        running.hinder()
        await asyncio.sleep(SETTLE)
        before, broker, said, since = _seen(running, node), _broker(running), await _heads(log, logs), time.monotonic()
        await asyncio.sleep(load.window)
        after, broker_after = _seen(running, node), _broker(running)
        told, seconds = await _heads(log, logs), time.monotonic() - since
        tokens = entries = 0
        for name, first, last in zip(logs, said, told, strict=True):
            events = [event for event in await log.read(name, first.seq, last.seq) if event.type == "token"]
            entries += len(events)
            tokens += sum(event.n for event in events)
    finally:
        await log.close()
    if not tokens:
        raise TargetUnavailable("no token reached the log")
    cpu = after["server_cpu"] - before["server_cpu"]
    return PullRow(
        target.name, target.title, running.version, load.streams, load.rate, tokens / seconds, 0.0,
        cpu / tokens * 1e6, cpu / seconds, (after["broker_cpu"] - before["broker_cpu"]) / seconds,
        (broker_after - broker) / seconds, tokens / entries, "",
    )  # fmt: skip


def _seen(running: PullRunning, node: list[int]) -> dict[str, float]:
    return measure.counters(running.worker_pids, node)


def _broker(running: PullRunning) -> float:
    return measure.cpu_seconds(running.broker_pids)


async def _heads(log: LogWriter, names: Sequence[str]) -> list[Head]:
    return list(await asyncio.gather(*(log.head(name) for name in names)))


async def _all_begun(log: LogWriter, names: Sequence[str]) -> None:
    """Waits until every stream has its start and a token on its log."""
    deadline = time.monotonic() + PATIENCE
    while (begun := sum(head.seq >= 2 for head in await _heads(log, names))) < len(names):
        if time.monotonic() > deadline:
            raise TargetUnavailable(f"only {begun} of {len(names)} streams had a token after {PATIENCE:.0f} s")
        await asyncio.sleep(0.2)


def _start_streams(running: PullRunning, load: Load) -> list[str]:
    """Over REST, some at a time; returns their logs."""

    def start(number: int) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)
        body = {"model": load.script, "messages": [{"role": "user", "content": f"Question {number}"}]}
        headers = {**running.headers, "Content-Type": "application/json"}
        connection.request("POST", "/v1/streams", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 202:
            raise TargetUnavailable(f"a stream was refused: {answer.status} {text[:300]}")
        return str(json.loads(text)["log"])

    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(start, range(load.streams)))


def run(plan: Plan) -> Result:
    """Every target of P5 that runs here."""
    load = Load(window=8) if plan.quick else Load()
    rows, left_out = plan.each(PULL, load.window + 30, lambda target: measure_target(target, load))
    direct = next((row.tokens_per_second for row in rows if row.target == "node"), 0.0)
    return Result(
        part="P5",
        title="Pulling: a worker's CPU per token, from the node to the log",
        setting=f"{load.streams} streams at {load.rate} tokens/s in one worker process, for {load.window:g} s; "
        "nobody watches them",
        rows=[dataclasses.replace(row, direct=direct).to_json() for row in rows],
        left_out=left_out,
    )
