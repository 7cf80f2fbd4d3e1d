"""P11 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, ms, ours


def _place(name: str) -> Callable[[Row], str]:
    """p50 and p99 of a place in the long session."""

    def show(row: Row) -> str:
        times = row["times"].get(f"{row['long']} {name}")
        return f"{ms(times['p50'])} / {ms(times['p99'])}" if times else "–"

    return show


def _queries(size: str) -> Callable[[Row], str]:
    """How many each place of a session takes; one number where they are all the same."""

    def show(row: Row) -> str:
        counts = [count for name, count in row["queries"].items() if name.startswith(f"{row[size]} ")]
        pages, snapshot = counts[:3], counts[3:]
        shown = [str(pages[0]) if len(set(pages)) == 1 else ", ".join(map(str, pages)), *map(str, snapshot)]
        return " + ".join(shown)

    return show


def _verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not ours(row) or row["invalid"]:
            continue
        title = row["title"]
        by_place: dict[str, set[int]] = {}
        for name, count in row["queries"].items():
            by_place.setdefault(name.partition(" ")[2], set()).add(count)
        pages = {count for place, counts in by_place.items() if place != "snapshot" for count in counts}
        constant = len(pages) == 1 and all(len(counts) == 1 for counts in by_place.values())
        said.append(
            f"{title}: the same number of queries for all pages, and for snapshots, of {row['short']:,} and of "
            f"{row['long']:,} messages: **{'met' if constant else 'missed'}**"
        )
        for name, times in row["times"].items():
            size, _, place = name.partition(" ")
            if size == str(row["long"]):
                said.append(judged(f"{title}, {_PLACES[place]}, p99", times["p99"], 30, " ms"))
    return said


_PLACES = {
    "newest": "the newest page",
    "middle": "a page in the middle",
    "oldest": "the oldest page",
    "snapshot": "the socket's snapshot",
}


def _plots(rows: list[Row]) -> dict[str, str]:
    shown = [
        svg.Bar(f"{row['title']}, {place}", times["p99"], ms(times["p99"]), ours(row))
        for place in _PLACES
        for row in rows
        if (times := row["times"].get(f"{row['long']} {place}"))
    ]
    return {"p11-p99": svg.bars("P11: p99 of a page of 50", shown)}


FORM = Form(
    (
        ("p50 / p99", lambda row: str(row["title"])),
        *((name, _place(place)) for place, name in _PLACES.items()),
        ("queries, short session", _queries("short")),
        ("queries, long session", _queries("long")),
        ("its CPU", lambda row: f"{row['server_share']:.0%}"),
        ("client's CPU", lambda row: f"{row['generator_share']:.0%}"),
    ),
    _verdicts,
    _plots,
)
