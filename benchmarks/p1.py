"""P1: what fan-out costs. 500 viewers, one stream, 50 tokens a second, one web process.

The bounds are ratios of a few per cent, and a shared machine drifts by more within minutes: so all targets are measured
in turn, several times, and what stands beside each other is each one's middle round.
"""

from __future__ import annotations

from benchmarks import fanout
from benchmarks.fanout import FanoutRow
from benchmarks.run import LeftOut, Plan, Result
from benchmarks.targets import FANOUT

ROUNDS = 3
# Twenty times off: one round says all there is to say.
ONCE = frozenset({"tutorial"})


def run(plan: Plan) -> Result:
    """Every target of P1 that runs here."""
    rounds = 1 if plan.quick else ROUNDS
    load = fanout.Load(viewers=500, rate=50, warm=2, window=4 if plan.quick else 8, drain=3)
    cost = load.warm + load.window + load.drain + 8
    measured: dict[str, list[FanoutRow]] = {}
    left_out: list[LeftOut] = []
    for number in range(rounds):
        targets = [target for target in FANOUT if number == 0 or target.name not in ONCE]
        rows, missing = plan.each(targets, cost, lambda target: fanout.run(target, load))
        for row in rows:
            measured.setdefault(row.target, []).append(row)
        left_out += [each for each in missing if number == 0 or each not in left_out]
    return Result(
        part="P1",
        title="Fan-out: what one delivered frame costs the server",
        setting=f"{load.viewers} viewers, one stream at {load.rate:.0f} tokens/s, one web process, "
        f"{load.window:.0f} s measured after {load.warm:.0f} s of warming up; "
        f"the middle of {rounds} rounds in which the targets take turns",
        rows=[
            {**middle(rows).to_json(), "cpu_per_frame_of_rounds": [round(row.cpu_per_frame, 2) for row in rows]}
            for rows in measured.values()
        ],
        left_out=left_out,
    )


def middle(rows: list[FanoutRow]) -> FanoutRow:
    """The round with the middle cost: a whole run that was, not a mixture. Of an even number the dearer one."""
    return sorted(rows, key=lambda row: row.cpu_per_frame)[len(rows) // 2]
