"""What the tables of all parts are made of: a form, and how figures are written. Not for any one part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a part is shown."""

    columns: tuple[tuple[str, Callable[[Row], str]], ...]
    verdicts: Callable[[list[Row]], list[str]]
    plots: Callable[[list[Row]], dict[str, str]]


def ours(row: Row) -> bool:
    """Whether it is a figure of Hanzo Live, not of a peer."""
    return str(row["target"]).startswith("hanzo")


def judged(what: str, value: float, limit: float, unit: str) -> str:
    """A figure against its target, in a sentence."""
    met = "met" if value <= limit else "missed"
    return f"{what}: {_plain(value)}{unit}, target ≤ {_plain(limit)}{unit}: **{met}**"


def _plain(value: float) -> str:
    """Three digits or so, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms" if value >= 100 else f"{value:.1f} ms"


def lag(row: Row, key: str) -> str:
    """A percentile of delivery; a lower bound where tokens never came."""
    return ("≥ " if row["missing"] else "") + ms(row[key])


def share(value: float) -> str:
    return f"{value:.0%}" if value in (0, 1) else f"{min(value, 0.999):.1%}"
