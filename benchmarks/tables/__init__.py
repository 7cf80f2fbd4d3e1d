"""Each part's table, what its figures mean against TARGETS, and its plots. A new part adds one file here, with a `FORM`."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.run import Result
from benchmarks.tables import p1, p2, p4, p5, p7, p8, p10, p11
from benchmarks.tables.forms import Form

FORMS: dict[str, Form] = {
    "P1": p1.FORM,
    "P2": p2.FORM,
    "P4": p4.FORM,
    "P5": p5.FORM,
    "P7": p7.FORM,
    "P8": p8.FORM,
    "P10": p10.FORM,
    "P11": p11.FORM,
}


def table(result: Result) -> list[str]:
    """A Markdown table; a row that must not be quoted says so under it."""
    columns = FORMS[result.part].columns
    cells = [[name for name, _ in columns], *([show(row) for _, show in columns] for row in result.rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    invalid = [f"**{row['title']}: not to be quoted** ({row['invalid']})." for row in result.rows if row["invalid"]]
    notes = [f"{row['title']}: {row['note']}." for row in result.rows if row.get("note")]
    return [*lines, *(line for remark in (*invalid, *notes) for line in ("", remark))]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def verdicts(result: Result) -> list[str]:
    """The figures against their targets, one sentence each."""
    return FORMS[result.part].verdicts(result.rows)


def plots(result: Result) -> dict[str, str]:
    """SVG text by file name (without its ending)."""
    return FORMS[result.part].plots(result.rows) if result.rows else {}
