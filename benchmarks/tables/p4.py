"""P4 as shown: its columns, its verdicts, its plot."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks import svg
from benchmarks.tables.forms import Form, Row, judged, ms, ours


def _first(load: str, key: str) -> Callable[[Row], str]:
    """A figure of one load; with starts whose answers never came in time, a p99 is a lower bound."""

    def show(row: Row) -> str:
        firsts = row[load]
        if not firsts:
            return "–"
        return ("≥ " if firsts["late"] and key.endswith("p99") else "") + ms(firsts[key])

    return show


def _verdicts(rows: list[Row]) -> list[str]:
    by_name = {row["target"]: row for row in rows if not row["invalid"]}
    said = []
    for row in (row for row in by_name.values() if ours(row)):
        title, idle, loaded = row["title"], row["idle"], row["loaded"]
        if idle["added_p50"] is None:
            continue
        said.append(judged(f"{title}, idle, p50 added", idle["added_p50"], 10, " ms"))
        said.append(judged(f"{title}, idle, p99 added", idle["added_p99"], 30, " ms"))
        if loaded:
            said.append(judged(f"{title}, loaded, p99 added", loaded["added_p99"], 100, " ms"))
            said.append(judged(f"{title}, loaded, p99 added, the goal", loaded["added_p99"], 50, " ms"))
        peer = by_name.get("litellm")
        if peer and peer["idle"]["added_p50"] is not None:
            said.append(
                judged(
                    f"{title}, idle, p50 added beside LiteLLM's", idle["added_p50"], peer["idle"]["added_p50"], " ms"
                )
            )
            if loaded and peer["loaded"]:
                theirs = peer["loaded"]["added_p99"]
                said.append(judged(f"{title}, loaded, p99 added beside LiteLLM's", loaded["added_p99"], theirs, " ms"))
    return said


def _plots(rows: list[Row]) -> dict[str, str]:
    found = {}
    for load in ("idle", "loaded"):
        shown = [
            svg.Bar(
                row["title"], row[load]["p99"], f"p50 {ms(row[load]['p50'])}, p99 {ms(row[load]['p99'])}", ours(row)
            )
            for row in rows
            if row[load]
        ]
        found[f"p4-{load}"] = svg.bars(f"P4: p99 of the first token, {load}", shown)
    return found


FORM = Form(
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
    _verdicts,
    _plots,
)
