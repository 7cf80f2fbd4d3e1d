"""What `hanzo-live check` finds, each as one line for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A `wrong` one has to be mended; a `warning` is good to know."""

    verdict: Verdict
    subject: str
    words: str
