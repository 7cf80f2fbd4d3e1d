"""Each part's table, what its figures mean against TARGETS, and its plots. A new part adds one `Form` here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import svg
from benchmarks.run import Result

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a part is shown."""

    columns: tuple[tuple[str, Callable[[Row], str]], ...]
    verdicts: Callable[[list[Row]], list[str]]
    plots: Callable[[list[Row]], dict[str, str]]


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


def _ours(row: Row) -> bool:
    return str(row["target"]).startswith("hanzo")


def _judged(what: str, value: float, limit: float, unit: str) -> str:
    met = "met" if value <= limit else "missed"
    return f"{what}: {_plain(value)}{unit}, target ≤ {_plain(limit)}{unit}: **{met}**"


def _plain(value: float) -> str:
    """Three digits or so, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def _lag(row: Row, key: str) -> str:
    """A percentile of delivery; a lower bound where tokens never came."""
    return ("≥ " if row["missing"] else "") + _ms(row[key])


def _share(value: float) -> str:
    return f"{value:.0%}" if value in (0, 1) else f"{min(value, 0.999):.1%}"


# -- P1 ---------------------------------------------------------------------------------------------------------------

_FANOUT_START = (
    ("", lambda row: str(row["title"])),
    ("CPU per frame", lambda row: f"{row['cpu_per_frame']:.1f} µs"),
    ("CPU per token", lambda row: f"{row['cpu_per_token']:.1f} µs"),
    ("tokens a frame", lambda row: f"{row['tokens_per_frame']:.2f}"),
    ("p50", lambda row: _lag(row, "p50")),
    ("p99", lambda row: _lag(row, "p99")),
)
_FANOUT_END = (
    ("delivered", lambda row: _share(row["delivered"])),
    ("byte-exact", lambda row: str(row["exact"])),
    ("its CPU", lambda row: f"{row['server_share']:.0%}"),
    ("Redis, per frame", lambda row: f"{row['broker_cpu_per_frame']:.2f} µs"),
    ("generator's CPU", lambda row: f"{row['generator_share']:.0%}"),
)


# Rows that tests make, and those of one round alone, have no others to show.
_ROUNDS = (("CPU per frame of each round", lambda row: _rounds(row.get("cpu_per_frame_of_rounds", ()))),)


def _rounds(costs: Sequence[float]) -> str:
    return ", ".join(f"{cost:.1f}" for cost in costs) or "–"


def _p1_verdicts(rows: list[Row]) -> list[str]:
    by_name = {row["target"]: row for row in rows if not row["invalid"]}
    said = []
    for row in (row for row in by_name.values() if _ours(row)):
        title = row["title"]
        if nchan := by_name.get("nchan"):
            ratio = row["cpu_per_frame"] / nchan["cpu_per_frame"]
            said.append(_judged(f"{title}, CPU per frame beside nchan's", ratio, 1.2, " ×"))
            if not nchan["missing"]:
                said.append(_judged(f"{title}, p99 beside nchan's", row["p99"] / nchan["p99"], 2, " ×"))
        for peer in ("ws", "socket.io"):
            if peer in by_name:
                ratio = row["cpu_per_frame"] / by_name[peer]["cpu_per_frame"]
                said.append(_judged(f"{title}, CPU per frame beside {by_name[peer]['title']}'s", ratio, 1, " ×"))
        if tutorial := by_name.get("tutorial"):
            times = tutorial["cpu_per_frame"] / row["cpu_per_frame"]
            said.append(f"{title} takes {times:.0f} times less CPU per frame than the Channels tutorial")
    return said


def _p1_plots(rows: list[Row]) -> dict[str, str]:
    cost = [svg.Bar(r["title"], r["cpu_per_frame"], f"{r['cpu_per_frame']:.1f} µs", _ours(r)) for r in rows]
    lag = [svg.Bar(r["title"], r["p99"], _lag(r, "p99"), _ours(r)) for r in rows]
    return {
        "p1-cpu": svg.bars("P1: server CPU per delivered frame", cost),
        "p1-p99": svg.bars("P1: p99 delivery", lag),
    }


# -- P2 ---------------------------------------------------------------------------------------------------------------


def _p2_verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not _ours(row) or row["invalid"]:
            continue
        title, sampled = row["title"], str(row["exact"]).partition("/")
        whole = row["complete_viewers"] == row["viewers"] and sampled[0] == sampled[2]
        said.append(
            f"{title}: {row['complete_viewers']} of {row['viewers']} viewers have every token once, "
            f"{row['exact']} samples are byte-exact, target all: **{'met' if whole else 'missed'}**"
        )
        if not row["missing"]:
            said.append(_judged(f"{title}, p99 lag", row["p99"], 500, " ms"))
        said.append(
            f"{title}: p99 moves by {row['slope']:+.1f} ms a second, target flat: "
            f"**{'met' if row['flat'] else 'missed'}**"
        )
    return said


def _p2_plots(rows: list[Row]) -> dict[str, str]:
    series = [(row["title"], [(float(x), float(y)) for x, y in row["columns"]]) for row in rows if row["columns"]]
    return {"p2-lag": svg.lines("P2: p99 lag of tokens by the second they were sent", "ms", series)}


# -- P4 ---------------------------------------------------------------------------------------------------------------


def _first(load: str, key: str) -> Callable[[Row], str]:
    """A figure of one load; with starts whose answers never came in time, a p99 is a lower bound."""

    def show(row: Row) -> str:
        firsts = row[load]
        if not firsts:
            return "–"
        return ("≥ " if firsts["late"] and key.endswith("p99") else "") + _ms(firsts[key])

    return show


def _p4_verdicts(rows: list[Row]) -> list[str]:
    by_name = {row["target"]: row for row in rows if not row["invalid"]}
    said = []
    for row in (row for row in by_name.values() if _ours(row)):
        title, idle, loaded = row["title"], row["idle"], row["loaded"]
        if idle["added_p50"] is None:
            continue
        said.append(_judged(f"{title}, idle, p50 added", idle["added_p50"], 10, " ms"))
        said.append(_judged(f"{title}, idle, p99 added", idle["added_p99"], 30, " ms"))
        if loaded:
            said.append(_judged(f"{title}, loaded, p99 added", loaded["added_p99"], 100, " ms"))
            said.append(_judged(f"{title}, loaded, p99 added, the goal", loaded["added_p99"], 50, " ms"))
        peer = by_name.get("litellm")
        if peer and peer["idle"]["added_p50"] is not None:
            said.append(
                _judged(
                    f"{title}, idle, p50 added beside LiteLLM's", idle["added_p50"], peer["idle"]["added_p50"], " ms"
                )
            )
            if loaded and peer["loaded"]:
                theirs = peer["loaded"]["added_p99"]
                said.append(_judged(f"{title}, loaded, p99 added beside LiteLLM's", loaded["added_p99"], theirs, " ms"))
    return said


def _p4_plots(rows: list[Row]) -> dict[str, str]:
    found = {}
    for load in ("idle", "loaded"):
        shown = [
            svg.Bar(
                row["title"], row[load]["p99"], f"p50 {_ms(row[load]['p50'])}, p99 {_ms(row[load]['p99'])}", _ours(row)
            )
            for row in rows
            if row[load]
        ]
        found[f"p4-{load}"] = svg.bars(f"P4: p99 of the first token, {load}", shown)
    return found


# -- P5 ---------------------------------------------------------------------------------------------------------------


def _p5_verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not _ours(row) or row["invalid"]:
            continue
        said.append(_judged(f"{row['title']}, CPU per token", row["cpu_per_token"], 200, " µs"))
        if row["direct"]:
            share = row["tokens_per_second"] / row["direct"]
            met = "met" if share >= 0.95 else "missed"
            said.append(f"{row['title']}, read speed: {share:.1%} of the node's, target ≥ 95 %: **{met}**")
    return said


def _p5_plots(rows: list[Row]) -> dict[str, str]:
    cost = [svg.Bar(r["title"], r["cpu_per_token"], f"{r['cpu_per_token']:.0f} µs", _ours(r)) for r in rows]
    return {"p5-cpu": svg.bars("P5: CPU per token of the process that pulls", cost)}


# -- P7 ---------------------------------------------------------------------------------------------------------------


def _times_the_text(row: Row) -> float:
    times: float = row["bytes"] / row["text_bytes"]
    return times


def _p7_verdicts(rows: list[Row]) -> list[str]:
    return [
        _judged(f"{row['title']}, beside the text", _times_the_text(row), row["limit"], " ×")
        for row in rows
        if row["limit"]
    ]


def _p7_plots(rows: list[Row]) -> dict[str, str]:
    shown = [svg.Bar(row["title"], _times_the_text(row), f"{_times_the_text(row):.2f} ×", _ours(row)) for row in rows]
    return {"p7-bytes": svg.bars("P7: bytes, as a multiple of the text", shown)}


# -- P8 ---------------------------------------------------------------------------------------------------------------


def _p8_verdicts(rows: list[Row]) -> list[str]:
    return [
        _judged(f"{row['title']}, p50 of the first token", row["first_p50"], row["limit"], " ms")
        for row in rows
        if row["limit"]
    ]


def _p8_plots(rows: list[Row]) -> dict[str, str]:
    shown = [svg.Bar(row["title"], row["first_p50"], _ms(row["first_p50"]), bool(row["limit"])) for row in rows]
    return {"p8-first": svg.bars("P8: p50 of the first token", shown)}


# -- P10 --------------------------------------------------------------------------------------------------------------


def _p10_verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not _ours(row) or row["invalid"]:
            continue
        title = row["title"]
        said.append(_judged(f"{title}, frames a second at whoever got most", row["frames_most"], 20, ""))
        whole = row["right"] == row["pairs"]
        said.append(
            f"{title}: {row['right']:,} of {row['pairs']:,} last known positions are the last ones sent, target all: "
            f"**{'met' if whole else 'missed'}**"
        )
    return said


def _p10_plots(rows: list[Row]) -> dict[str, str]:
    cpu = [
        svg.Bar(r["title"], r["server_share"], f"{r['server_share']:.0%} of a core, p99 {_lag(r, 'p99')}", _ours(r))
        for r in rows
    ]
    return {"p10-cpu": svg.bars("P10: server CPU while 50 people move their cursors", cpu)}


# -- P11 --------------------------------------------------------------------------------------------------------------


def _place(name: str) -> Callable[[Row], str]:
    """p50 and p99 of a place in the long session."""

    def show(row: Row) -> str:
        times = row["times"].get(f"{row['long']} {name}")
        return f"{_ms(times['p50'])} / {_ms(times['p99'])}" if times else "–"

    return show


def _queries(size: str) -> Callable[[Row], str]:
    """How many each place of a session takes; one number where they are all the same."""

    def show(row: Row) -> str:
        counts = [count for name, count in row["queries"].items() if name.startswith(f"{row[size]} ")]
        pages, snapshot = counts[:3], counts[3:]
        shown = [str(pages[0]) if len(set(pages)) == 1 else ", ".join(map(str, pages)), *map(str, snapshot)]
        return " + ".join(shown)

    return show


def _p11_verdicts(rows: list[Row]) -> list[str]:
    said = []
    for row in rows:
        if not _ours(row) or row["invalid"]:
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
                said.append(_judged(f"{title}, {_PLACES[place]}, p99", times["p99"], 30, " ms"))
    return said


_PLACES = {
    "newest": "the newest page",
    "middle": "a page in the middle",
    "oldest": "the oldest page",
    "snapshot": "the socket's snapshot",
}


def _p11_plots(rows: list[Row]) -> dict[str, str]:
    shown = [
        svg.Bar(f"{row['title']}, {place}", times["p99"], _ms(times["p99"]), _ours(row))
        for place in _PLACES
        for row in rows
        if (times := row["times"].get(f"{row['long']} {place}"))
    ]
    return {"p11-p99": svg.bars("P11: p99 of a page of 50", shown)}


FORMS: dict[str, Form] = {
    "P1": Form((*_FANOUT_START, *_ROUNDS, *_FANOUT_END), _p1_verdicts, _p1_plots),
    "P2": Form(
        (
            *_FANOUT_START,
            ("slope of p99", lambda row: f"{row['slope']:+.1f} ms/s"),
            ("in order", lambda row: str(row["ordered"])),
            *_FANOUT_END,
        ),
        _p2_verdicts,
        _p2_plots,
    ),
    "P4": Form(
        (
            ("", lambda row: str(row["title"])),
            ("idle p50", _first("idle", "p50")),
            ("idle p99", _first("idle", "p99")),
            ("added p50", _first("idle", "added_p50")),
            ("added p99", _first("idle", "added_p99")),
            ("loaded p50", _first("loaded", "p50")),
            ("loaded p99", _first("loaded", "p99")),
            ("loaded, added p50", _first("loaded", "added_p50")),
            ("loaded, added p99", _first("loaded", "added_p99")),
            ("the others got", lambda row: f"{row['others_tokens']:.0f} tokens/s"),
            ("its CPU, loaded", lambda row: f"{row['cpu_share']:.0%}" if row["target"] != "node" else "–"),
        ),
        _p4_verdicts,
        _p4_plots,
    ),
    "P5": Form(
        (
            ("", lambda row: str(row["title"])),
            ("CPU per token", lambda row: f"{row['cpu_per_token']:.0f} µs"),
            ("tokens/s", lambda row: f"{row['tokens_per_second']:,.0f}"),
            ("tokens an entry", lambda row: f"{row['tokens_per_entry']:.2f}" if row["tokens_per_entry"] else "–"),
            ("its CPU", lambda row: f"{row['pulling_share']:.0%}"),
            ("the node's CPU", lambda row: f"{row['node_share']:.0%}"),
            ("Redis's CPU", lambda row: f"{row['broker_share']:.0%}" if _ours(row) else "–"),
        ),
        _p5_verdicts,
        _p5_plots,
    ),
    "P7": Form(
        (
            ("", lambda row: str(row["title"])),
            ("bytes", lambda row: f"{row['bytes']:,}"),
            ("beside the text", lambda row: f"{_times_the_text(row):.2f} ×"),
            ("frames, entries or events", lambda row: f"{row['pieces']:,}"),
            ("the text", lambda row: f"{row['text_bytes']:,} bytes"),
        ),
        _p7_verdicts,
        _p7_plots,
    ),
    "P8": Form(
        (
            ("", lambda row: str(row["title"])),
            ("first p50", lambda row: _ms(row["first_p50"])),
            ("first p99", lambda row: _ms(row["first_p99"])),
            ("whole p50", lambda row: _ms(row["whole_p50"])),
            ("whole p99", lambda row: _ms(row["whole_p99"])),
        ),
        _p8_verdicts,
        _p8_plots,
    ),
    "P10": Form(
        (
            ("", lambda row: str(row["title"])),
            ("frames/s each gets", lambda row: f"{row['frames_per_second']:,.1f}"),
            ("people a frame", lambda row: f"{row['changes_per_frame']:.1f}"),
            ("other frames/s", lambda row: f"{row['others_per_second']:.0f}"),
            ("KB/s each gets", lambda row: f"{row['bytes_per_second'] / 1000:,.0f}"),
            ("p50", lambda row: _lag(row, "p50")),
            ("p99", lambda row: _lag(row, "p99")),
            ("last positions right", lambda row: f"{row['right']:,}/{row['pairs']:,}"),
            ("its CPU", lambda row: f"{row['server_share']:.0%}"),
            ("Redis's CPU", lambda row: f"{row['broker_share']:.1%}"),
            ("generator's CPU", lambda row: f"{row['generator_share']:.0%}"),
        ),
        _p10_verdicts,
        _p10_plots,
    ),
    "P11": Form(
        (
            ("p50 / p99", lambda row: str(row["title"])),
            *((name, _place(place)) for place, name in _PLACES.items()),
            ("queries, short session", _queries("short")),
            ("queries, long session", _queries("long")),
            ("its CPU", lambda row: f"{row['server_share']:.0%}"),
            ("client's CPU", lambda row: f"{row['generator_share']:.0%}"),
        ),
        _p11_verdicts,
        _p11_plots,
    ),
}
