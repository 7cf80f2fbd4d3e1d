"""docs/seed-coverage.md lists every snippet of the description that the project began from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "seed-coverage.md").read_text()
SEED = ROOT.parent / "shared" / "seed"


def snippets() -> list[tuple[int, int]]:
    """The first and last line of each fenced block."""
    (file,) = SEED.glob("*.txt")
    fences = [number for number, line in enumerate(file.read_text().splitlines(), 1) if line.startswith("```")]
    return [(start + 1, end - 1) for start, end in zip(fences[::2], fences[1::2], strict=True)]


@pytest.mark.skipif(not SEED.is_dir(), reason="the description is kept beside the repository, not in it")
def test_every_snippet_has_its_place() -> None:
    listed = [(int(a), int(b)) for a, b in re.findall(r"\*\*(\d+)–(\d+)\*\*", PAGE)]
    missing = [each for each in snippets() if not any(a <= each[0] and each[1] <= b for a, b in listed)]
    assert missing == []
    assert len(listed) == len(set(listed)) == len(snippets())
