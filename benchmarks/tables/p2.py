"""P2 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from benchmarks import svg
from benchmarks.tables.fanout import FANOUT_END, FANOUT_START
from benchmarks.tables.forms import Form, Row, judged, ours


def _verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not ours(row) or row["invalid"]:
            continue
        title, sampled = row["title"], str(row["exact"]).partition("/")
        whole = row["complete_viewers"] == row["viewers"] and sampled[0] == sampled[2]
        said.append(
            f"{title}: {row['complete_viewers']} of {row['viewers']} viewers have every token once, "
            f"{row['exact']} samples are byte-exact, target all: **{'met' if whole else 'missed'}**"
        )
        if not row["missing"]:
            said.append(judged(f"{title}, p99 lag", row["p99"], 500, " ms"))
        said.append(
            f"{title}: p99 moves by {row['slope']:+.1f} ms a second, target flat: "
            f"**{'met' if row['flat'] else 'missed'}**"
        )
    return said


def _plots(rows: list[Row]) -> dict[str, str]:
    series = [(row["title"], [(float(x), float(y)) for x, y in row["columns"]]) for row in rows if row["columns"]]
    return {"p2-lag": svg.lines("P2: p99 lag of tokens by the second they were sent", "ms", series)}


FORM = Form(
    (
        *FANOUT_START,
        ("slope of p99", lambda row: f"{row['slope']:+.1f} ms/s"),
        ("in order", lambda row: str(row["ordered"])),
        *FANOUT_END,
    ),
    _verdicts,
    _plots,
)
