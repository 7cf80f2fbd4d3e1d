"""P7 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, ours


def _times_the_text(row: Row) -> float:
    times: float = row["bytes"] / row["text_bytes"]
    return times


def _verdicts(rows: list[Row]) -> list[str]:
    return [
        judged(f"{row['title']}, beside the text", _times_the_text(row), row["limit"], " ×")
        for row in rows
        if row["limit"]
    ]


def _plots(rows: list[Row]) -> dict[str, str]:
    shown = [svg.Bar(row["title"], _times_the_text(row), f"{_times_the_text(row):.2f} ×", ours(row)) for row in rows]
    return {"p7-bytes": svg.bars("P7: bytes, as a multiple of the text", shown)}


FORM = Form(
    (
        ("", lambda row: str(row["title"])),
        ("bytes", lambda row: f"{row['bytes']:,}"),
        ("beside the text", lambda row: f"{_times_the_text(row):.2f} ×"),
        ("frames, entries or events", lambda row: f"{row['pieces']:,}"),
        ("the text", lambda row: f"{row['text_bytes']:,} bytes"),
    ),
    _verdicts,
    _plots,
)
