"""P1: what fan-out costs. 500 viewers, one stream, 50 tokens a second, one web process."""

from __future__ import annotations

from benchmarks import fanout
from benchmarks.run import Plan, Result
from benchmarks.targets import FANOUT


def run(plan: Plan) -> Result:
    """Every target of P1 that runs here."""
    load = fanout.Load(viewers=500, rate=50, warm=2, window=4 if plan.quick else 15, drain=3)
    cost = load.warm + load.window + load.drain + 8
    rows, left_out = plan.each(FANOUT, cost, lambda target: fanout.run(target, load))
    return Result(
        part="P1",
        title="Fan-out: what one delivered frame costs the server",
        setting=f"{load.viewers} viewers, one stream at {load.rate:.0f} tokens/s, one web process, "
        f"{load.window:.0f} s measured after {load.warm:.0f} s of warming up",
        rows=[row.to_json() for row in rows],
        left_out=left_out,
    )
