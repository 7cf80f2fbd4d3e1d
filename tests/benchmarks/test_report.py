"""What is printed and saved: figures come from results only, and a row that must not be quoted says so."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import fanout, p1, p4, p10, p11, report, svg, tables
from benchmarks.run import LeftOut, Result

MACHINE = dict.fromkeys(
    ("date", "command", "cores", "cpu", "memory", "kernel", "system", "commit", "load before", "python"), "1"
)


def fanout_row(target: str, cpu: float, **changes: object) -> fanout.FanoutRow:
    row = fanout.FanoutRow(
        target=target, title=target.upper(), version="1", viewers=500, rate=50, seconds=20, connect_seconds=1,
        tokens_sent=1000, delivered=1.0, complete_viewers=500, exact="20/20", ordered="20/20",
        frames_per_second=25_000, tokens_per_frame=1.0, cpu_per_frame=cpu, cpu_per_token=cpu,
        broker_cpu_per_frame=0.1, server_share=0.2, generator_share=0.15, p50=2.0, p99=8.0, missing=0,
        columns=[(0, 8.0), (5, 8.0)], slope=0.0, flat=True, server_rss=1, memory_per_viewer=10, publisher_late=1,
        invalid="",
    )  # fmt: skip
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


def cursor_row(target: str, **changes: object) -> p10.CursorRow:
    row = p10.CursorRow(
        target=target, title=target.upper(), version="1", people=50, rate=30, seconds=15, moves_per_second=1500,
        frames_per_second=19.5, frames_most=20.0, others_per_second=30, changes_per_frame=50, bytes_per_second=200_000,
        p50=25.0, p99=50.0, missing=0, right=2450, pairs=2450, server_share=0.3, broker_share=0.01, generator_share=0.2,
        server_rss=1, late=1, invalid="",
    )  # fmt: skip
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


def history_row(target: str, oldest_p99: float = 12.0, **queries: int) -> p11.HistoryRow:
    places = [f"{size} {place}" for size in (1_000, 100_000) for place in ("newest", "middle", "oldest", "snapshot")]
    if not target.startswith("hanzo"):
        places = [place for place in places if not place.endswith("snapshot")]
    times = {place: p11.Times(5, oldest_p99 if place == "100000 oldest" else 10) for place in places}
    counts = {place: 6 if place.endswith("snapshot") else 3 for place in places}
    counts |= {name.replace("_", " "): count for name, count in queries.items()}
    return p11.HistoryRow(target, target.upper(), "1", 1_000, 100_000, 10, times, counts, 0.8, 0.01, "", {})


def result(part: str, *rows: fanout.FanoutRow | p4.AskRow | p10.CursorRow | p11.HistoryRow) -> Result:
    return Result(part, "title", "setting", [row.to_json() for row in rows], [LeftOut("Peer", "it is\nnot installed")])


def ask_row(target: str, idle: float, loaded: float, late: int = 0) -> p4.AskRow:
    return p4.AskRow(
        target, target.upper(), "1", p4.Firsts(10, 0, idle, idle * 2), p4.Firsts(10, late, loaded, loaded * 2),
        100, 2000, 0.5, "", "",
    )  # fmt: skip


def test_p1_is_judged_beside_its_peers() -> None:
    said = tables.verdicts(result("P1", fanout_row("hanzo-daphne", 6.6), fanout_row("nchan", 5.8), fanout_row("ws", 6)))
    assert "beside nchan's: 1.14 ×, target ≤ 1.2 ×: **met**" in said[0]
    assert "p99 beside nchan's: 1 ×" in said[1]
    assert "WS's: 1.1 ×, target ≤ 1 ×: **missed**" in said[2]


def test_a_row_that_must_not_be_quoted_is_marked_and_not_judged() -> None:
    bound = fanout_row("hanzo-daphne", 6.6, invalid="generator-bound (91% of a core)")
    shown = result("P1", bound, fanout_row("nchan", 5.8))
    assert "**HANZO-DAPHNE: not to be quoted** (generator-bound (91% of a core))." in tables.table(shown)
    assert tables.verdicts(shown) == []


def test_a_generator_near_a_whole_core_makes_a_row_invalid() -> None:
    done = {"lost": 0, "too_many": 0}
    load = fanout.Load(viewers=1, rate=50, warm=1, window=1, drain=1)
    assert fanout._why_invalid(0.5, done, 2.0, 100, load) == ""
    assert "generator-bound" in fanout._why_invalid(0.9, done, 2.0, 100, load)
    assert "slower than asked" in fanout._why_invalid(0.5, done, 3.0, 100, load)


def test_p2_asks_for_every_token_at_every_viewer() -> None:
    whole = tables.verdicts(result("P2", fanout_row("hanzo-daphne", 6.6)))
    assert whole[0].endswith("**met**")
    short = tables.verdicts(result("P2", fanout_row("hanzo-daphne", 6.6, complete_viewers=499)))
    assert short[0].endswith("**missed**")
    unlike = tables.verdicts(result("P2", fanout_row("hanzo-daphne", 6.6, exact="19/20")))
    assert unlike[0].endswith("**missed**")


def test_a_lag_with_missing_tokens_is_a_lower_bound() -> None:
    assert "≥ 8.0 ms" in tables.table(result("P1", fanout_row("tutorial", 300, missing=3)))[2]


def test_what_is_added_is_less_the_nodes_median() -> None:
    node, ours = p4.less_the_node([ask_row("node", 2, 4), ask_row("hanzo", 8, 30)])
    assert node.idle.added_p50 is None
    assert (ours.idle.added_p50, ours.idle.added_p99) == (6, 14)
    assert ours.loaded is not None
    assert (ours.loaded.added_p50, ours.loaded.added_p99) == (26, 56)


def test_p4_shows_starts_that_were_never_answered() -> None:
    lines = tables.table(result("P4", *p4.less_the_node([ask_row("node", 2, 4), ask_row("litellm", 30, 900, late=2)])))
    assert "≥ 1,800 ms" in lines[3]


def test_p1_shows_the_middle_round_and_what_each_cost() -> None:
    rounds = [fanout_row("nchan", cost) for cost in (9.0, 5.8, 6.5)]
    assert p1.middle(rounds) is rounds[2]
    assert p1.middle(rounds[:2]) is rounds[0]
    row = {**rounds[2].to_json(), "cpu_per_frame_of_rounds": [9.0, 5.8, 6.5]}
    shown = tables.table(dataclasses.replace(result("P1", rounds[2]), rows=[row]))
    assert "9.0, 5.8, 6.5" in shown[2]


def test_p10_asks_for_few_frames_and_every_last_position() -> None:
    said = tables.verdicts(result("P10", cursor_row("hanzo-daphne"), cursor_row("ws", frames_most=1470.0)))
    assert [line.endswith("**met**") for line in said] == [True, True]
    said = tables.verdicts(result("P10", cursor_row("hanzo-daphne", frames_most=20.1, right=2449)))
    assert [line.endswith("**missed**") for line in said] == [True, True]
    assert "2,449 of 2,450 last known positions" in said[1]


def test_p11_asks_for_as_many_queries_wherever_the_page_lies() -> None:
    said = tables.verdicts(result("P11", history_row("hanzo-sqlite"), history_row("offset-sqlite", 90.0)))
    assert [line.endswith("**met**") for line in said] == [True] * 5
    assert "3 + 6" in tables.table(result("P11", history_row("hanzo-sqlite")))[2]
    more = {"100000_oldest": 4}
    said = tables.verdicts(result("P11", history_row("hanzo-sqlite", 31.0, **more)))
    assert [line.endswith("**missed**") for line in said] == [True, False, False, True, False]
    assert "3, 3, 4 + 6" in tables.table(result("P11", history_row("hanzo-sqlite", **more)))[2]


ROWS: dict[str, tuple[fanout.FanoutRow | p4.AskRow | p10.CursorRow | p11.HistoryRow, ...]] = {
    "P1": (fanout_row("nchan", 6),),
    "P2": (fanout_row("nchan", 6),),
    "P4": (ask_row("node", 1, 2), ask_row("hanzo", 3, 4)),
    "P10": (cursor_row("hanzo-daphne"), cursor_row("ws")),
    "P11": (history_row("hanzo-sqlite"), history_row("offset-sqlite")),
}


@pytest.mark.parametrize("part", ROWS)
def test_results_come_back_as_they_were_saved_with_plots_that_are_xml(tmp_path: Path, part: str) -> None:
    saved = result(part, *ROWS[part])
    report.save(tmp_path, saved, MACHINE)
    ((loaded, machine),) = report.load(tmp_path)
    assert machine == MACHINE
    assert (
        report.markdown(loaded, machine)
        == report.markdown(saved, MACHINE)
        == (tmp_path / f"{part.lower()}.md").read_text()
    )
    plots = list(tmp_path.glob("*.svg"))
    assert plots
    for plot in plots:
        ElementTree.fromstring(plot.read_text())


def test_figures_replace_only_what_stands_between_the_marks(tmp_path: Path) -> None:
    page = f"before\n{report.START}\nold\n{report.END}\nafter\n"
    written = report.with_figures(page, [(result("P1", fanout_row("nchan", 5.8)), MACHINE)], "results")
    assert written.startswith(f"before\n{report.START}")
    assert written.endswith(f"{report.END}\nafter\n")
    assert "5.8 µs" in written
    assert "old" not in written
    assert report.with_figures(written, [(result("P1", fanout_row("nchan", 5.8)), MACHINE)], "results") == written
    with pytest.raises(ValueError, match="no place for figures"):
        report.with_figures("a page", [], "results")


def test_plots_escape_what_they_say() -> None:
    ElementTree.fromstring(svg.bars("a < b & c", [svg.Bar("<x>", 1, "1 µs", True), svg.Bar("y", 1000, "1 ms", False)]))
    ElementTree.fromstring(svg.lines("lag", "ms", [("a & b", [(0, 1.0), (5, 800.0)]), ("none", [])]))
