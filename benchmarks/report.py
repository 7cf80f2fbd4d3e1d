"""Results as people and programs read them: Markdown tables, JSON, plots, and the figures inside docs/benchmarks.md."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.process import ROOT
from benchmarks.run import LeftOut, Result

START, END = "<!-- figures: written by `python -m benchmarks --write-docs` -->", "<!-- end of figures -->"
NONE = 'None are recorded yet: run `make bench`, then `make bench ARGS="--write-docs"`.\n'


def save(folder: Path, result: Result, machine: dict[str, str]) -> None:
    """Writes a part's JSON, Markdown and plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    name = result.part.lower()
    recorded = {**dataclasses.asdict(result), "machine": machine}
    (folder / f"{name}.json").write_text(json.dumps(recorded, indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown(result, machine))
    for plot, text in tables.plots(result).items():
        (folder / f"{plot}.svg").write_text(text)


def load(folder: Path) -> list[tuple[Result, dict[str, str]]]:
    """The saved parts with their machines, in order of their numbers."""
    found: list[tuple[Result, dict[str, str]]] = []
    for file in sorted(folder.glob("p*.json"), key=lambda path: int(path.stem[1:])):
        recorded: dict[str, Any] = json.loads(file.read_text())
        machine = recorded.pop("machine")
        left_out = [LeftOut(**one) for one in recorded.pop("left_out")]
        found.append((Result(**recorded, left_out=left_out), machine))
    return found


def markdown(result: Result, machine: dict[str, str], heading: str = "##", plots: str = "") -> str:
    """One part: its setting, its table, what was judged, what was left out, and the machine."""
    lines = [f"{heading} {result.part}: {result.title}", "", f"{result.setting}.", ""]
    lines += tables.table(result)
    verdicts = tables.verdicts(result)
    if verdicts:
        lines += ["", *(f"- {verdict}" for verdict in verdicts)]
    for why, titles in _left_out(result).items():
        lines += ["", f"Left out: {', '.join(titles)}: {why}"]
    if plots:
        lines += ["", *(f"![{result.part}]({plots}/{name}.svg)" for name in tables.plots(result))]
    return "\n".join([*lines, "", _machine(machine), ""])


def _left_out(result: Result) -> dict[str, list[str]]:
    """Titles by the reason they share."""
    found: dict[str, list[str]] = {}
    for one in result.left_out:
        found.setdefault(_shortened(one.why), []).append(one.title)
    return found


def _shortened(why: str) -> str:
    """The reason on one line; a program's last words may be long."""
    words = " ".join(why.replace(str(ROOT), ".").split())
    return words if len(words) <= 400 else f"{words[:400]} …"


def _machine(machine: dict[str, str]) -> str:
    versions = [f"{name} {value}" for name, value in machine.items() if name not in _ABOUT]
    return (
        f"Taken {machine['date']} on {machine['cores']} cores of {machine['cpu']}, {machine['memory']}, "
        f"{machine['system']}, Linux {machine['kernel']} (load before: {machine['load before']}), "
        f"with `{machine['command']}` at `{machine['commit']}`: {', '.join(versions)}."
    )


_ABOUT = {"date", "command", "cores", "cpu", "memory", "kernel", "system", "commit", "load before"}


def with_figures(page: str, results: list[tuple[Result, dict[str, str]]], plots: str) -> str:
    """`page` with everything between the two marks replaced by the figures. Raises ValueError without the marks."""
    head, start, rest = page.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise ValueError(f"the page has no place for figures: it needs the lines {START!r} and {END!r}")
    figures = "\n".join(markdown(result, machine, "###", plots) for result, machine in results) or NONE
    return f"{head}{START}\n\n{figures}\n{END}{tail}"
