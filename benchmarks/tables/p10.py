"""P10 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, lag, ours


def _verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not ours(row) or row["invalid"]:
            continue
        title = row["title"]
        said.append(judged(f"{title}, frames a second at whoever got most", row["frames_most"], 20, ""))
        whole = row["right"] == row["pairs"]
        said.append(
            f"{title}: {row['right']:,} of {row['pairs']:,} last known positions are the last ones sent, target all: "
            f"**{'met' if whole else 'missed'}**"
        )
    return said


def _plots(rows: list[Row]) -> dict[str, str]:
    cpu = [
        svg.Bar(r["title"], r["server_share"], f"{r['server_share']:.0%} of a core, p99 {lag(r, 'p99')}", ours(r))
        for r in rows
    ]
    return {"p10-cpu": svg.bars("P10: server CPU while 50 people move their cursors", cpu)}


FORM = Form(
    (
        ("", lambda row: str(row["title"])),
        ("frames/s each gets", lambda row: f"{row['frames_per_second']:,.1f}"),
        ("people a frame", lambda row: f"{row['changes_per_frame']:.1f}"),
        ("other frames/s", lambda row: f"{row['others_per_second']:.0f}"),
        ("KB/s each gets", lambda row: f"{row['bytes_per_second'] / 1000:,.0f}"),
        ("p50", lambda row: lag(row, "p50")),
        ("p99", lambda row: lag(row, "p99")),
        ("last positions right", lambda row: f"{row['right']:,}/{row['pairs']:,}"),
        ("its CPU", lambda row: f"{row['server_share']:.0%}"),
        ("Redis's CPU", lambda row: f"{row['broker_share']:.1%}"),
        ("generator's CPU", lambda row: f"{row['generator_share']:.0%}"),
    ),
    _verdicts,
    _plots,
)
