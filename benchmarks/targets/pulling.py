"""The targets of P5: the node read by a bare client, our worker, and our worker with a slow way to Redis."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.lines import Helper
from benchmarks.process import TargetUnavailable, Workshop
from benchmarks.targets import broker
from benchmarks.targets.base import PullRunning
from benchmarks.targets.hanzo import serve, versions

WORKER = "worker-1"  # the name that `serve` gives the one that carries streams


@dataclass(frozen=True, slots=True)
class BareClient:
    """The PullTarget that keeps nothing: what the node gives at most, and what reading alone costs."""

    name: str = "node"
    title: str = "the node read by a bare client (raw bytes, uvloop)"

    def start(self, shop: Workshop, node_port: int) -> PullRunning:
        return PullRunning(node_port, {}, [], [], "", "")


@dataclass(frozen=True, slots=True)
class HanzoPull:
    """The PullTarget that is ours. `delay`: seconds added to every call of Redis while it is measured, there and back together."""

    name: str
    title: str
    delay: float = 0.0

    def start(self, shop: Workshop, node_port: int) -> PullRunning:
        valkey, port = broker.start(shop)
        wire = Helper.start(shop, "slow_wire", "slow-wire", {"port": port, "delay": self.delay}, {})
        way = wire.hear("ready", 10)["port"] if self.delay else port
        served = serve(shop, "daphne", node_port, settings={"REDIS_URL": f"redis://127.0.0.1:{way}/0"})
        workers = served.pids(WORKER)
        if not workers:
            raise TargetUnavailable(f"no process of it has {WORKER} in its command line")
        return PullRunning(
            port=served.port,
            headers=served.headers,
            worker_pids=workers,
            broker_pids=valkey.pids,
            redis_url=f"redis://127.0.0.1:{port}/0",
            version=versions("daphne"),
            hinder=lambda: wire.tell({}),
        )
