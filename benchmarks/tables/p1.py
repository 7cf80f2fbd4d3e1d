"""P1 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import svg
from benchmarks.tables.fanout import FANOUT_END, FANOUT_START
from benchmarks.tables.forms import Form, Row, judged, lag, ours

# Rows that tests make, and those of one round alone, have no others to show.
_ROUNDS = (("CPU per frame of each round", lambda row: _rounds(row.get("cpu_per_frame_of_rounds", ()))),)


def _rounds(costs: Sequence[float]) -> str:
    return ", ".join(f"{cost:.1f}" for cost in costs) or "–"


def _verdicts(rows: list[Row]) -> list[str]:
    by_name = {row["target"]: row for row in rows if not row["invalid"]}
    said = []
    for row in (row for row in by_name.values() if ours(row)):
        title = row["title"]
        if nchan := by_name.get("nchan"):
            ratio = row["cpu_per_frame"] / nchan["cpu_per_frame"]
            said.append(judged(f"{title}, CPU per frame beside nchan's", ratio, 1.2, " ×"))
            if not nchan["missing"]:
                said.append(judged(f"{title}, p99 beside nchan's", row["p99"] / nchan["p99"], 2, " ×"))
        for peer in ("ws", "socket.io"):
            if peer in by_name:
                ratio = row["cpu_per_frame"] / by_name[peer]["cpu_per_frame"]
                said.append(judged(f"{title}, CPU per frame beside {by_name[peer]['title']}'s", ratio, 1, " ×"))
        if tutorial := by_name.get("tutorial"):
            times = tutorial["cpu_per_frame"] / row["cpu_per_frame"]
            said.append(f"{title} takes {times:.0f} times less CPU per frame than the Channels tutorial")
    return said


def _plots(rows: list[Row]) -> dict[str, str]:
    cost = [svg.Bar(r["title"], r["cpu_per_frame"], f"{r['cpu_per_frame']:.1f} µs", ours(r)) for r in rows]
    late = [svg.Bar(r["title"], r["p99"], lag(r, "p99"), ours(r)) for r in rows]
    return {
        "p1-cpu": svg.bars("P1: server CPU per delivered frame", cost),
        "p1-p99": svg.bars("P1: p99 delivery", late),
    }


FORM = Form((*FANOUT_START, *_ROUNDS, *FANOUT_END), _verdicts, _plots)
