"""So many rounds, one after the other, in one house."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.house import House, house
from tests.chaos.plan import plan
from tests.chaos.round import carry_out

PAGE = Path(__file__).parents[2] / "docs" / "tools.md"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(seed: int, numbers: Sequence[int], place: Path) -> int:
    """The exit code: 1 if a round went wrong."""
    say(f"Chaos with seed {seed}, {len(numbers)} rounds")
    (place / "tools").mkdir()
    module = re.search(r"^```python\n# my_tools.py\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert module is not None
    (place / "tools" / "my_tools.py").write_text(module[1])
    wrong = 0
    async with house(place, place / "tools") as made:
        for number in numbers:
            wrong += await one(made, seed, number)
    say(
        f"{len(numbers) - wrong} of {len(numbers)} rounds went well"
        + ("" if wrong else ": nothing lost, nothing twice")
    )
    return 1 if wrong else 0


async def one(made: House, seed: int, number: int) -> bool:
    """Whether the round went wrong."""
    planned = plan(seed, number)
    await made.ready()
    began = time.monotonic()
    found, how = await carry_out(made, planned)
    word = "WRONG" if found else "ok"
    say(f"{number:>4} {word:<5} {time.monotonic() - began:5.1f} s  {planned}  {how}")
    for fault in found:
        say(f"     - {fault}")
    if found:
        say(f"     again: python -m tests.chaos --seed {seed} --only {number}")
    return bool(found)
