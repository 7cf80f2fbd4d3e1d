"""The table of `docs/conformance.md`, from what a run found. What is not in the results is not in the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.contract.conformance.clients import CLIENTS
from tests.contract.conformance.scenario import Cut, Named, Step, scenarios

ROOT = Path(__file__).parents[3]
RESULTS = Path(__file__).parent / "results.json"
PAGE = ROOT / "docs" / "conformance.md"

PASSED = "passed"

Results = dict[str, dict[str, str]]
"""By scenario and client: PASSED, or why it did not come into it."""

INTRODUCTION = """# What every client does alike

Each row is a scenario of [`tests/contract/scenarios`](../tests/contract/scenarios), each column a client. A test runs them all
against a real server (daphne, a worker, Valkey and the scripted node), with a wire between that cuts, loses, repeats and
delays what the server sends; see [the protocol](protocol.md) for the rules. In each, the text must be there whole and
once, the events in order, and one terminal event, the last.

This page is written by `scripts/conformance --write` from what the run found, and `make check` compares it. A check mark is
a scenario that the client passed; `–` is explained below.
"""


def as_text(results: Results) -> str:
    """The results as they are kept."""
    return json.dumps(results, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def page() -> str:
    """The page that belongs to the kept results."""
    results: Results = json.loads(RESULTS.read_text())
    found = {named.name: named for named in scenarios()}
    notes: list[str] = []
    lines = ["| scenario | " + " | ".join(client.name for client in CLIENTS) + " |", "|---" * (len(CLIENTS) + 1) + "|"]
    for name, cells in results.items():
        row = [_cell(cells.get(client.id, "not run"), notes) for client in CLIENTS]
        lines.append(f"| [{name.replace('-', ' ')}](#{name}) | " + " | ".join(row) + " |")
    reasons = [f"{number}. {reason}" for number, reason in enumerate(notes, 1)]
    details = [_details(found[name]) for name in results if name in found]
    return "\n".join([INTRODUCTION, *lines, "", *reasons, "", *details]).rstrip() + "\n"


def _cell(result: str, notes: list[str]) -> str:
    if result == PASSED:
        return "✓"
    if result not in notes:
        notes.append(result)
    return f"– <sup>{notes.index(result) + 1}</sup>"


def _details(named: Named) -> str:
    scenario = named.scenario
    lines = [f"## {named.name.replace('-', ' ')}", "", scenario.says, ""]
    lines += [f"- {_ask(ask)}" for ask in scenario.asks]
    lines += [f"- the wire: {_rule(rule)}" for rule in scenario.wire]
    lines += [f"- the client: {_step(step)}" for step in scenario.client]
    return "\n".join([*lines, ""])


def _ask(ask: Any) -> str:
    text = {"whole": "the whole text", "beginning": "the beginning of the text", "none": "no text"}[ask.text]
    return f"`{ask.model}` ends in `{ask.ends}`, with {text}"


def _rule(rule: Cut) -> str:
    more = f" {rule.ms} ms" if rule.ms else f" {rule.code}" if rule.code else f" {rule.frame}" if rule.frame else ""
    return f"{rule.do}{more} at `{rule.at}` {rule.nth}"


def _step(step: Step) -> str:
    return f"{step.step} after {step.after}"
