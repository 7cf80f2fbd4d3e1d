"""P8 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, ms


def _verdicts(rows: list[Row]) -> list[str]:
    return [
        judged(f"{row['title']}, p50 of the first token", row["first_p50"], row["limit"], " ms")
        for row in rows
        if row["limit"]
    ]


def _plots(rows: list[Row]) -> dict[str, str]:
    shown = [svg.Bar(row["title"], row["first_p50"], ms(row["first_p50"]), bool(row["limit"])) for row in rows]
    return {"p8-first": svg.bars("P8: p50 of the first token", shown)}


FORM = Form(
    (
        ("", lambda row: str(row["title"])),
        ("first p50", lambda row: ms(row["first_p50"])),
        ("first p99", lambda row: ms(row["first_p99"])),
        ("whole p50", lambda row: ms(row["whole_p50"])),
        ("whole p99", lambda row: ms(row["whole_p99"])),
    ),
    _verdicts,
    _plots,
)
