"""Two small plots as SVG text: horizontal bars, and lines over time. They read on light and dark pages alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#737373}.t{font-weight:600;font-size:14px;fill:#525252}"
    ".o{fill:#2563eb}.p{fill:#a3a3a3}.g{stroke:#d4d4d4;stroke-width:1}.l{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#a3a3a3}.t{fill:#d4d4d4}.o{fill:#60a5fa}.p{fill:#737373}.g{stroke:#404040}}"
)
_COLOURS = ("#2563eb", "#16a34a", "#a3a3a3", "#ea580c", "#9333ea", "#ca8a04")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar; `ours` are drawn in colour."""

    label: str
    value: float
    shown: str
    ours: bool


def bars(title: str, values: Sequence[Bar]) -> str:
    """Horizontal bars from zero. When one dwarfs the rest the scale is logarithmic, and the title says so."""
    top = max((bar.value for bar in values), default=1.0) or 1.0
    low = min((bar.value for bar in values if bar.value > 0), default=top)
    logarithmic = top / low > 30

    def width(value: float) -> float:
        if not logarithmic:
            return 400 * value / top
        return 400 * max(0.0, math.log10(max(value, low) / low * 2) / math.log10(top / low * 2))

    parts = [_text(10, 22, title + (" (logarithmic)" if logarithmic else ""), "t")]
    for row, bar in enumerate(values):
        y = 40 + row * 26
        parts += [
            _text(230, y + 14, bar.label, anchor="end"),
            f'<rect class="{"o" if bar.ours else "p"}" x="240" y="{y}" width="{width(bar.value):.1f}" height="18" rx="3"/>',
            _text(246 + width(bar.value), y + 14, bar.shown),
        ]
    return _page(760, 52 + len(values) * 26, parts)


def lines(title: str, unit: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> str:
    """(x in seconds, y) lines over one logarithmic y axis, for lags that lie far apart."""
    points = [point for _, line in series for point in line]
    right = max((x for x, _ in points), default=1.0) or 1.0
    low = 10 ** math.floor(math.log10(max(0.1, min((y for _, y in points), default=1.0))))
    high = 10 ** math.ceil(math.log10(max(low * 10, max((y for _, y in points), default=1.0))))

    def at(x: float, y: float) -> tuple[float, float]:
        share = math.log10(max(y, low) / low) / math.log10(high / low)
        return 70 + 480 * x / right, 280 - 230 * share

    parts = [_text(10, 22, title, "t")]
    decade = float(low)
    while decade <= high:
        _, y = at(0, decade)
        parts += [
            f'<line class="g" x1="70" x2="550" y1="{y:.1f}" y2="{y:.1f}"/>',
            _text(64, y + 4, f"{decade:g} {unit}", anchor="end"),
        ]
        decade *= 10
    parts += [_text(70, 298, "0 s"), _text(550, 298, f"{right:.0f} s", anchor="end")]
    for index, (label, line) in enumerate(series):
        colour = _COLOURS[index % len(_COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        parts += [
            f'<polyline class="l" stroke="{colour}" points="{path}"/>',
            f'<rect x="570" y="{46 + index * 22}" width="12" height="12" rx="2" fill="{colour}"/>',
            _text(588, 57 + index * 22, label),
        ]
    return _page(800, 310, parts)


def _text(x: float, y: float, text: str, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])
