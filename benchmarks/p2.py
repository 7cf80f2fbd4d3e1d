"""P2: overload. 5,000 viewers × 100 tokens a second on one web process, far more than it can write one by one."""

from __future__ import annotations

from dataclasses import replace

from benchmarks import fanout
from benchmarks.run import Plan, Result
from benchmarks.targets import FANOUT
from benchmarks.targets.base import FanoutTarget

QUICK = frozenset({"hanzo-daphne"})


def run(plan: Plan) -> Result:
    """Ours for the full time; peers, whose queues only grow, for a sixth of it."""
    ours = fanout.Load(viewers=5000, rate=100, warm=2, window=60, drain=10)
    if plan.quick:
        ours = replace(ours, viewers=1000, window=15, drain=5, column=2.5)
    peers = replace(ours, window=ours.window / 6, drain=3, column=1.0)

    def load_for(target: FanoutTarget) -> fanout.Load:
        return ours if target.name.startswith("hanzo") else peers

    rows, left_out = [], []
    for target in FANOUT:
        load = load_for(target)
        cost = load.warm + load.window + load.drain + 10 + load.viewers / 400
        some, without = plan.each([target], cost, lambda one: fanout.run(one, load_for(one)), QUICK)
        rows += some
        left_out += without
    return Result(
        part="P2",
        title="Overload: everything arrives, and not late",
        setting=f"{ours.viewers} viewers × {ours.rate:.0f} tokens/s on one web process; {ours.window:.0f} s for ours, "
        f"{peers.window:.0f} s for peers (their queues grow without end), then {ours.drain:.0f} and {peers.drain:.0f} s "
        "for the rest to arrive",
        rows=[row.to_json() for row in rows],
        left_out=left_out,
    )
