"""Alerts, dashboard and runbook: that they speak of what there is, and of one another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations"
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "provisioning" / "dashboards" / "hanzo-live.json").read_text())


def queries() -> list[str]:
    """What the dashboard asks."""
    return [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]


def series_of(expression: str) -> set[str]:
    """The series of ours that an expression names, without a histogram's endings."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"hanzo_live_\w+", expression)}


def told() -> set[str]:
    """What the page on metrics lists, which `make check` compares with the code."""
    return set(re.findall(r"^\| `(hanzo_live_\w+)`", (OPERATIONS / "metrics.md").read_text(), re.MULTILINE))


def test_every_alert_and_panel_asks_for_series_that_there_are() -> None:
    expressions: list[Any] = [*queries(), *(alert["expr"] for alert in ALERTS)]
    assert len(expressions) > 40
    for expression in expressions:
        assert series_of(expression) <= told(), expression


def test_everything_of_the_server_is_on_the_dashboard() -> None:
    shown = set().union(*map(series_of, queries()))
    apart = {name for name in told() if name.startswith(("hanzo_live_client_", "hanzo_live_presence_"))}
    assert told() - shown == apart


def test_every_alert_has_its_part_of_the_runbook() -> None:
    headings = re.findall(r"^## (\w+)$", (OPERATIONS / "runbook.md").read_text(), re.MULTILINE)
    assert headings == [alert["alert"] for alert in ALERTS]
    for alert in ALERTS:
        assert alert["annotations"]["runbook"] == f"docs/operations/runbook.md#{alert['alert'].lower()}"


def test_panels_do_not_lie_on_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
