"""P5 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, ours


def _verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not ours(row) or row["invalid"]:
            continue
        said.append(judged(f"{row['title']}, CPU per token", row["cpu_per_token"], 200, " µs"))
        if row["direct"]:
            share = row["tokens_per_second"] / row["direct"]
            met = "met" if share >= 0.95 else "missed"
            said.append(f"{row['title']}, read speed: {share:.1%} of the node's, target ≥ 95 %: **{met}**")
    return said


def _plots(rows: list[Row]) -> dict[str, str]:
    cost = [svg.Bar(r["title"], r["cpu_per_token"], f"{r['cpu_per_token']:.0f} µs", ours(r)) for r in rows]
    return {"p5-cpu": svg.bars("P5: CPU per token of the process that pulls", cost)}


FORM = Form(
    (
        ("", lambda row: str(row["title"])),
        ("CPU per token", lambda row: f"{row['cpu_per_token']:.0f} µs"),
        ("tokens/s", lambda row: f"{row['tokens_per_second']:,.0f}"),
        ("tokens an entry", lambda row: f"{row['tokens_per_entry']:.2f}" if row["tokens_per_entry"] else "–"),
        ("its CPU", lambda row: f"{row['pulling_share']:.0%}"),
        ("the node's CPU", lambda row: f"{row['node_share']:.0%}"),
        ("Redis's CPU", lambda row: f"{row['broker_share']:.0%}" if ours(row) else "–"),
    ),
    _verdicts,
    _plots,
)
